//! A server: one model on one device, for many who ask.
//!
//! ```text
//!  HTTP (OpenAI's paths) -> questions -> jobs -> engine: queue -> slots of the device
//!         page, metrics, health               <- tokens, joules <-
//! ```
//!
//! | module | one sentence |
//! |---|---|
//! | [`engine`] | a device at work: fair queue, slots, rounds |
//! | [`http`] | paths, parameters, answers, who may ask |
//! | [`metrics`] | what is counted |

pub mod engine;
pub mod http;
pub mod metrics;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sterna_firmware::device::Device;
use sterna_firmware::model::Model;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{SignalKind, signal};

use self::engine::{Engine, Limits};
use self::http::guard::Guard;
use self::http::{App, Bounds, listen, router};
use self::metrics::Metrics;
use crate::error::{HostError, Result};
use crate::power::beside::Power;
use crate::template::Template;

/// How to serve.
pub struct Settings {
    /// Where to listen.
    pub address: SocketAddr,
    /// The name that clients ask for.
    pub name: String,
    /// What clients have to have; needed to listen elsewhere than on loopback.
    pub key: Option<String>,
    /// How much the engine takes on.
    pub limits: Limits,
    /// How long questions may be.
    pub bounds: Bounds,
    /// How long answers that have begun may take once the server is to end.
    pub grace: Duration,
}

/// Threads that speak with clients; the device has its own.
const THREADS: usize = 2;
/// Threads that make tokens of texts.
const TOKENIZING: usize = 2;

/// Serves until a signal to end, or until the engine ends by itself; `ready` gets the address.
///
/// # Errors
/// Those of the device and of the tokenizer; H040 without a key where one is needed, H041 for an
/// address that cannot be had, H042 if the engine ended.
pub fn serve(
    settings: Settings,
    model: &Arc<Model>,
    open: impl FnOnce() -> Result<Box<dyn Device>> + Send + 'static,
    power: Power,
    ready: impl FnOnce(SocketAddr, &Engine) -> Result<()>,
) -> Result<()> {
    if settings.key.is_none() && !settings.address.ip().is_loopback() {
        return Err(HostError::NoKey { address: settings.address });
    }
    let (metrics, power) = (Arc::new(Metrics::default()), Arc::new(power));
    let tokenizer = model.tokenizer()?.map(Arc::new);
    let description = model.description();
    let template = Template::of(description)?;
    let chat_ends = match &tokenizer {
        Some(tokenizer) => template.stop_tokens(tokenizer, description)?,
        None => description.eos.clone(),
    };
    let busy = |source| HostError::Listen { address: settings.address, source };
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .max_blocking_threads(TOKENIZING)
        .enable_all()
        .build()
        .map_err(busy)?;
    // The address first: a device takes longer to open.
    let listener = runtime.block_on(TcpListener::bind(settings.address)).map_err(busy)?;
    let address = listener.local_addr().map_err(busy)?;
    let engine = Engine::start(
        open,
        tokenizer.clone(),
        settings.limits,
        Arc::clone(&power),
        Arc::clone(&metrics),
    )?;
    ready(address, &engine)?;
    let app = Arc::new(App {
        engine,
        model: settings.name,
        image_id: description.image_id.clone(),
        vocab: description.shape.vocab,
        eos: description.eos.clone(),
        chat_ends,
        tokenizer,
        template,
        bounds: settings.bounds,
        metrics,
        power,
        created: http::unix(),
    });
    runtime.block_on(async {
        let router = router(Arc::clone(&app), Guard::new(settings.key.as_deref()));
        let mut failed = false;
        let stop = async {
            tokio::select! {
                () = ended() => {}
                () = app.engine.ended() => failed = true,
            }
            // Nothing new is taken; what waits is still answered.
            app.engine.end();
        };
        listen::serve(listener, router, stop, settings.grace).await;
        if failed { Err(HostError::EngineEnded) } else { Ok(()) }
    })
}

/// The first signal to end; a second one ends at once, as if this were not here.
async fn ended() {
    let hear = |kind| signal(kind).expect("both may be caught");
    let (mut interrupt, mut terminate) =
        (hear(SignalKind::interrupt()), hear(SignalKind::terminate()));
    let code = tokio::select! {
        _ = interrupt.recv() => 130,
        _ = terminate.recv() => 143,
    };
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        std::process::exit(code);
    });
}
