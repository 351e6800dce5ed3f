//! A `.sterna` file, opened and checked: what every device and command starts from.

use std::path::Path;
use std::sync::Arc;

use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use sterna_model::ChatTemplate;
use sterna_model::checkpoint::{Checkpoint, Origin};
use sterna_model::layout;
use sterna_model::tokenizer::Tokenizer;

use crate::error::{FirmwareError, Result};
use crate::file::{Container, SectionKind};
use crate::image::{Contents, Image};
use crate::isa::Instruction;
use crate::kernel::{self, Codes, Kernel};
use crate::rows::{BadRow, Row};
use crate::shape::Shape;
use crate::trits::ROWS;

/// The model section: plain facts, as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Dimensions.
    pub shape: Shape,
    /// Heads; they have no numeric effect.
    pub heads: usize,
    /// ε of the block norms, g_norm and the final norm.
    pub rms_norm_eps: f32,
    /// Whether the forget gates have lower bounds.
    pub lower_bounds: bool,
    /// Token put before a prompt, if the configuration names one.
    pub bos: Option<u32>,
    /// Tokens that end a text.
    pub eos: Vec<u32>,
    /// Fraction bits of the residual stream.
    pub residual_frac: i32,
    /// The image's id, in hexadecimal.
    pub image_id: String,
    /// Bytes of the checkpoint's tensors at their stored precision.
    pub checkpoint_bytes: u64,
    /// Every ternary matrix, in the order of the pass.
    pub matrices: Vec<MatrixReport>,
    /// The checkpoint's `config.json`, verbatim.
    pub config: String,
    /// How the model wants conversations written, if the checkpoint says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<ChatTemplate>,
    /// Where the checkpoint was published, if it was fetched from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
}

/// What ternarisation did to a matrix.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MatrixReport {
    /// Name in the checkpoint.
    pub name: String,
    /// Rows (gate and up together).
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// A dequantised weight is `trit / t` (docs/model.md §3).
    pub t: f32,
    /// How many −1, 0, +1.
    pub histogram: [u64; 3],
    /// Whether the checkpoint held ternary values already (codes are their signs).
    pub already_ternary: bool,
}

/// What to do about a file that lacks something.
const AGAIN: &str = "import the checkpoint again";

impl Description {
    /// What a file says of its model. Its header and this section are checked, and that the file
    /// has the length that the header says; weights are not looked at.
    pub fn read(path: &Path) -> Result<Description> {
        Description::of(&Container::glance(path, SectionKind::Model)?)
    }

    fn of(container: &Container) -> Result<Description> {
        let json = container.require(SectionKind::Model, AGAIN)?;
        serde_json::from_slice(json).map_err(|e| fault(container, SectionKind::Model, e))
    }

    /// Describes a checkpoint that was compiled.
    pub fn new(
        checkpoint: &Checkpoint,
        residual_frac: i32,
        id: u64,
        matrices: Vec<MatrixReport>,
    ) -> Result<Description> {
        let config = checkpoint.config();
        let mut checkpoint_bytes = 0;
        for tensor in layout::tensors(config) {
            let size = checkpoint.dtype(&tensor.name)?.size();
            checkpoint_bytes += (tensor.shape.iter().product::<usize>() * size) as u64;
        }
        Ok(Description {
            shape: Shape::of(config),
            heads: config.heads,
            rms_norm_eps: config.rms_norm_eps,
            lower_bounds: config.lower_bounds,
            bos: config.bos,
            eos: config.eos.clone(),
            residual_frac,
            image_id: format!("{id:016x}"),
            checkpoint_bytes,
            matrices,
            config: checkpoint.config_json().into(),
            chat: checkpoint.chat_template().cloned(),
            origin: checkpoint.origin().cloned(),
        })
    }
}

/// An opened model; cheap to share between devices.
pub struct Model {
    container: Container,
    description: Description,
    contents: Contents,
}

impl Model {
    /// Opens and verifies a file.
    pub fn open(path: &Path) -> Result<Arc<Model>> {
        Model::check(Container::open(path)?)
    }

    /// Verifies a model that is part of the program; `name` stands in messages.
    pub fn from_static(name: &str, bytes: &'static [u8]) -> Result<Arc<Model>> {
        Model::check(Container::from_static(name, bytes)?)
    }

    /// A model of what a card's memory holds: image and embedding rows. What only the host uses
    /// is not in it; `name` stands in messages.
    pub fn of_memory(name: &str, image: &[u8], rows: &[u8]) -> Result<Arc<Model>> {
        let start = Contents::parse(image, name.as_ref())?.start;
        let description = Description {
            shape: start.shape,
            heads: 1,
            rms_norm_eps: 0.0,
            lower_bounds: false,
            bos: None,
            eos: vec![],
            residual_frac: start.residual_frac.into(),
            image_id: format!("{:016x}", start.id),
            checkpoint_bytes: 0,
            matrices: vec![],
            config: String::new(),
            chat: None,
            origin: None,
        };
        let json = serde_json::to_vec(&description).expect("a description is plain data");
        let parts = [
            (SectionKind::Model, &json[..]),
            (SectionKind::Embedding, rows),
            (SectionKind::Image, image),
        ];
        Model::check(Container::of_sections(name, &parts))
    }

    fn check(container: Container) -> Result<Arc<Model>> {
        let description = Description::of(&container)?;
        let image = container.require(SectionKind::Image, AGAIN)?;
        let contents = Contents::parse(image, container.path())?;
        let shape = contents.start.shape;
        let differs = |what| {
            fault(&container, SectionKind::Model, format!("it differs from the image in {what}"))
        };
        if description.shape != shape {
            return Err(differs("shape"));
        }
        if description.image_id != format!("{:016x}", contents.start.id) {
            return Err(differs("the image's id"));
        }
        if description.lower_bounds && shape.inner != shape.hidden {
            return Err(differs("lower bounds, which need inner = hidden"));
        }
        let rows = container.require(SectionKind::Embedding, AGAIN)?;
        if rows.len() != shape.row_stride() * shape.vocab {
            let reason = "its size is not vocabulary x row stride";
            return Err(fault(&container, SectionKind::Embedding, reason));
        }
        Ok(Arc::new(Model { container, description, contents }))
    }

    /// The container.
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// The file, for messages.
    pub fn path(&self) -> &Path {
        self.container.path()
    }

    /// Facts about the model.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// Dimensions.
    pub fn shape(&self) -> Shape {
        self.description.shape
    }

    /// The checked image.
    pub fn image(&self) -> Image<'_> {
        let bytes = self.container.section(SectionKind::Image).expect("checked when opened");
        Image::new(bytes, &self.contents)
    }

    /// Accumulators of an instruction's matrices, one after the other, for a batch of codes.
    ///
    /// `out` is resized to parts × batch × rows, padded to whole row groups; see
    /// [`kernel::multiply`].
    pub fn multiply(
        &self,
        kernel: Kernel,
        instruction: &Instruction,
        codes: &[&Codes],
        out: &mut Vec<i32>,
    ) -> Result<()> {
        let length = instruction.dimensions.0.next_multiple_of(ROWS) * codes.len();
        out.resize(instruction.opcode.parts() * length, 0);
        for (part, out) in out.chunks_mut(length.max(1)).enumerate() {
            let weights = self.image().weights(instruction, part);
            kernel::multiply(kernel, weights, codes, out)
                .map_err(|_| self.bad_byte([instruction]))?;
        }
        Ok(())
    }

    /// The first byte that is no trit block in the weights of some instructions, one of which a
    /// kernel refused.
    pub(crate) fn bad_byte<'a>(
        &self,
        instructions: impl IntoIterator<Item = &'a Instruction>,
    ) -> FirmwareError {
        let image = self.image();
        let first = |of: &Instruction| Some((of.sequence, image.bad_byte(of)?));
        let (segment, offset) = instructions.into_iter().find_map(first).expect("a kernel met one");
        let byte = image.bytes()[offset];
        FirmwareError::TritBlock { path: self.path().into(), segment, offset, byte }
    }

    /// The checked embedding row of a token.
    pub fn row(&self, token: u32) -> Result<Row> {
        let shape = self.shape();
        if token as usize >= shape.vocab {
            return Err(FirmwareError::Token { token, vocab: shape.vocab });
        }
        let rows = self.container.section(SectionKind::Embedding).expect("checked when opened");
        let start = shape.row_stride() * token as usize;
        let fail = |reason: BadRow| FirmwareError::Row { path: self.path().into(), token, reason };
        Row::decode(&rows[start..start + shape.row_stride()], shape.hidden, token).map_err(fail)
    }

    /// The tokenizer, if the checkpoint had one.
    pub fn tokenizer(&self) -> Result<Option<Tokenizer>> {
        let Some(json) = self.container.section(SectionKind::Tokenizer) else { return Ok(None) };
        Ok(Some(Tokenizer::from_json(json, self.shape().vocab)?))
    }

    /// The host-only tensors.
    pub fn host(&self) -> Result<SafeTensors<'_>> {
        let bytes =
            self.container.require(SectionKind::Host, "the float device needs it: import again")?;
        SafeTensors::deserialize(bytes).map_err(|e| fault(&self.container, SectionKind::Host, e))
    }
}

/// A section whose checksum holds but whose contents make no sense.
pub(crate) fn fault(
    container: &Container,
    kind: SectionKind,
    reason: impl std::fmt::Display,
) -> FirmwareError {
    let section = container.sections().iter().find(|section| section.kind == kind);
    FirmwareError::Layout {
        path: container.path().into(),
        offset: section.map_or(0, |section| section.offset),
        reason: format!("{kind} section: {reason}"),
    }
}
