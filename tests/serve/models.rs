//! Models, and what golden says to a prompt by itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sterna::generate::{Request, generate};
use sterna::sample::Sampling;
use sterna_firmware::compile::compile;
use sterna_firmware::golden::Golden;
use sterna_firmware::model::Model;
use sterna_model::Checkpoint;

/// The tiny demo as a file in a folder.
pub fn tiny(folder: &Path) -> PathBuf {
    let checkpoint = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo/shakespeare-tiny");
    let file = folder.join("tiny.sterna");
    compile(&Checkpoint::open(&checkpoint).unwrap(), &file, &mut |_| ()).unwrap();
    file
}

/// Greedy, or with a temperature of 0.8 and a seed.
pub fn sampling(seed: Option<u64>) -> Sampling {
    match seed {
        None => Sampling::default(),
        Some(seed) => Sampling { temperature: 0.8, seed, ..Sampling::default() },
    }
}

/// What golden, alone, says after a prompt.
pub struct Reference {
    model: Arc<Model>,
    device: Golden,
}

impl Reference {
    pub fn new(model: &Arc<Model>) -> Reference {
        Reference { model: Arc::clone(model), device: Golden::new(Arc::clone(model), 1).unwrap() }
    }

    pub fn encode(&self, text: &str) -> Vec<u32> {
        self.model.tokenizer().unwrap().unwrap().encode(text, true).unwrap()
    }

    pub fn tokens(&mut self, prompt: &[u32], count: usize, seed: Option<u64>) -> Vec<u32> {
        let request = Request { prompt, count, sampling: sampling(seed), stop: &[] };
        generate(&mut self.device, &request, &mut |_| Ok(())).unwrap().tokens
    }

    pub fn text(&mut self, prompt: &str, count: usize, seed: Option<u64>) -> String {
        let prompt = self.encode(prompt);
        let tokens = self.tokens(&prompt, count, seed);
        let tokenizer = self.model.tokenizer().unwrap().unwrap();
        let mut stream = tokenizer.stream();
        let mut text = String::new();
        for token in tokens {
            text += &stream.push(token).unwrap().unwrap_or_default();
        }
        text + &stream.finish().unwrap()
    }
}
