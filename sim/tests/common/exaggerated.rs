//! Images that contradict themselves: values leave their formats, which the compiler proves of its own
//! that they never do (docs/numerics.md §14).

use std::sync::Arc;

use sterna_firmware::file::SectionKind;
use sterna_firmware::isa::header::{Body, Header};
use sterna_firmware::isa::{UNIT, instructions};
use sterna_firmware::model::Model;
use sterna_model::numerics::Scale;

/// The same model with every matrix's scale 2^`bits` times as large.
pub fn exaggerated(model: &Model, bits: u32) -> Arc<Model> {
    let mut image = model.image().bytes().to_vec();
    for instruction in instructions(&model.shape()) {
        let bytes = &mut image[instruction.offset..][..UNIT];
        let mut header = Header::decode((&*bytes).try_into().unwrap()).unwrap();
        if let Body::Matrix(matrix) = &mut header.body {
            matrix.norm.rescale = matrix.norm.rescale.mul(Scale::from_int(1 << bits));
            bytes.copy_from_slice(&header.encode());
        }
    }
    let rows = model.container().section(SectionKind::Embedding).unwrap();
    Model::of_memory("an exaggerated image", &image, rows).unwrap()
}
