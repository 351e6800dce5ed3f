//! The bytes of a state file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::Dtype;
use serde_json::{Value, json};
use sterna_firmware::device::State;
use sterna_model::numerics::formats::STATE_BITS;

use super::{Conversation, Saved};
use crate::error::{HostError, Result};

/// What the metadata says of every such file.
const FORMAT: &str = "sterna-state";
/// The version that is written and read.
const VERSION: &str = "1";
/// The key of the checksum; it covers everything but itself.
const CHECKSUM: &str = "crc32c";
/// Bytes of a file that is still read: the largest state in floating point, 512 layers of 16,384,
/// and as much again for what was said.
const MOST: u64 = 64 << 20;
/// Bytes of an element in fixed point.
const PACKED: usize = STATE_BITS as usize / 8;

/// The file's bytes.
///
/// The header is written here and not by the library, so that one state is one file in every byte.
pub fn encode(saved: &Saved) -> Result<Vec<u8>> {
    let [layers, inner] = saved.shape;
    let (dtype, shape, data) = match &saved.state {
        State::Fixed(values) => ("U8", json!([layers, inner, PACKED]), pack(values)?),
        State::Float(values) => {
            ("F32", json!([layers, inner]), values.iter().flat_map(|v| v.to_le_bytes()).collect())
        }
    };
    let mut metadata = json!({
        "format": FORMAT,
        "version": VERSION,
        "image_id": saved.image_id,
        "arithmetic": saved.arithmetic(),
        "entered": saved.entered.to_string(),
        "draws": saved.draws.to_string(),
    });
    if let Some(token) = saved.pending {
        metadata["pending"] = json!(token.to_string());
    }
    if let Some(conversation) = &saved.conversation {
        let text = serde_json::to_string(conversation).expect("a conversation is plain data");
        metadata["conversation"] = json!(text);
    }
    let mut header = json!({
        "__metadata__": metadata,
        "state": { "dtype": dtype, "shape": shape, "data_offsets": [0, data.len()] },
    });
    let checksum = checksum(&mut header, &data);
    header["__metadata__"][CHECKSUM] = json!(format!("{checksum:08x}"));
    let mut header = header.to_string().into_bytes();
    // The format wants the data aligned to eight bytes.
    header.resize(header.len().next_multiple_of(8), b' ');
    let length = (header.len() as u64).to_le_bytes();
    Ok([&length[..], &header, &data].concat())
}

/// Reads a file that is not too large.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let wrong = |reason| HostError::StateFile { path: path.into(), reason };
    // Looked at before, as opening a pipe would wait for its writer.
    if !fs::metadata(path).map_err(HostError::io(path, "open"))?.is_file() {
        return Err(wrong("it is no regular file".into()));
    }
    let mut bytes = vec![];
    let file = File::open(path).map_err(HostError::io(path, "open"))?;
    file.take(MOST + 1).read_to_end(&mut bytes).map_err(HostError::io(path, "read"))?;
    if bytes.len() as u64 > MOST {
        return Err(wrong(format!("it is larger than {MOST} bytes")));
    }
    Ok(bytes)
}

/// What a file's bytes say; everything is checked but whether it suits a model.
pub fn decode(path: &Path, bytes: &[u8]) -> Result<Saved> {
    let wrong = |reason: &str| HostError::StateFile { path: path.into(), reason: reason.into() };
    let foreign = |_| wrong("it is no safetensors file");
    let (length, _) = SafeTensors::read_metadata(bytes).map_err(foreign)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(foreign)?;
    let (header, data) = bytes[8..].split_at(length);
    let mut header: Value =
        serde_json::from_slice(header).map_err(|_| wrong("it is no safetensors file"))?;
    let metadata = header.get("__metadata__").cloned().unwrap_or_default();
    let mut metadata: BTreeMap<String, String> =
        serde_json::from_value(metadata).map_err(|_| wrong("it has no metadata"))?;
    if metadata.remove("format").as_deref() != Some(FORMAT) {
        return Err(wrong("it is another kind of safetensors file"));
    }
    let mut take = |key: &'static str| {
        metadata.remove(key).ok_or_else(|| wrong(&format!("its metadata has no {key}")))
    };
    let version = take("version")?;
    if version != VERSION {
        return Err(HostError::StateVersion { path: path.into(), found: shorten(&version) });
    }
    let stored = take(CHECKSUM)?;
    let computed = format!("{:08x}", checksum(&mut header, data));
    if stored != computed {
        let stored = shorten(&stored);
        return Err(HostError::StateChecksum { path: path.into(), stored, computed });
    }
    // From here on nothing is damaged; what is wrong was written so.
    let number = |text: String, key| {
        text.parse::<u64>().map_err(|_| wrong(&format!("its {key} is no number")))
    };
    let image_id = take("image_id")?;
    let arithmetic = take("arithmetic")?;
    let entered = number(take("entered")?, "entered")?;
    let draws = number(take("draws")?, "draws")?;
    let pending = take("pending").ok().map(|text| number(text, "pending")).transpose()?;
    let pending = pending.map(u32::try_from).transpose();
    let pending = pending.map_err(|_| wrong("its pending is no token"))?;
    let conversation = take("conversation").ok().map(|text| serde_json::from_str(&text));
    let conversation: Option<Conversation> =
        conversation.transpose().map_err(|_| wrong("its conversation is none"))?;
    if let Some(key) = metadata.keys().next() {
        return Err(wrong(&format!("its metadata has a key too many: {}", shorten(key))));
    }
    if image_id.len() != 16 || !image_id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(wrong("its image_id has not 16 hexadecimal digits"));
    }
    let (shape, state) = state(&tensors, &arithmetic).ok_or_else(|| {
        wrong(
            "its one tensor must be `state`, U8 [layers, elements, 3] in fixed point, F32 \
               [layers, elements] and finite in floating point",
        )
    })?;
    Ok(Saved { image_id, shape, state, entered, pending, draws, conversation })
}

/// The one tensor, if it is as it must be.
fn state(tensors: &SafeTensors<'_>, arithmetic: &str) -> Option<([usize; 2], State)> {
    let tensor = tensors.tensor("state").ok()?;
    if tensors.len() != 1 {
        return None;
    }
    let words = || tensor.data().chunks_exact(4);
    Some(match (arithmetic, tensor.dtype(), tensor.shape()) {
        ("fixed", Dtype::U8, &[layers, inner, PACKED]) => {
            ([layers, inner], State::Fixed(unpack(tensor.data())))
        }
        ("float", Dtype::F32, &[layers, inner]) => {
            let value = |word: &[u8]| f32::from_le_bytes(word.try_into().expect("four bytes"));
            let values: Vec<f32> = words().map(value).collect();
            if !values.iter().all(|value| value.is_finite()) {
                return None;
            }
            ([layers, inner], State::Float(values))
        }
        _ => return None,
    })
}

/// CRC-32C of the header without its checksum, keys in order, and of the data.
fn checksum(header: &mut Value, data: &[u8]) -> u32 {
    if let Some(Value::Object(metadata)) = header.get_mut("__metadata__") {
        metadata.remove(CHECKSUM);
    }
    crc32c::crc32c_append(crc32c::crc32c(header.to_string().as_bytes()), data)
}

/// Three bytes an element, little-endian, in two's complement.
fn pack(values: &[i32]) -> Result<Vec<u8>> {
    const MOST: i32 = 1 << (STATE_BITS - 1);
    let mut bytes = Vec::with_capacity(PACKED * values.len());
    for (index, &value) in values.iter().enumerate() {
        if !(-MOST..MOST).contains(&value) {
            return Err(HostError::StateRange { index, value });
        }
        bytes.extend_from_slice(&value.to_le_bytes()[..PACKED]);
    }
    Ok(bytes)
}

/// The elements of packed bytes; every three bytes are one.
fn unpack(bytes: &[u8]) -> Vec<i32> {
    let element = |bytes: &[u8]| {
        // In the upper bytes of a word, so that shifting back extends the sign.
        i32::from_le_bytes([0, bytes[0], bytes[1], bytes[2]]) >> 8
    };
    bytes.chunks_exact(PACKED).map(element).collect()
}

/// At most 40 characters of what a file says.
fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_of_24_bits_come_back() {
        let most = 1 << 23;
        let values = [0, 1, -1, 255, -256, 65_536, most - 1, -most];
        let bytes = pack(&values).unwrap();
        assert_eq!(bytes.len(), 3 * values.len());
        assert_eq!(bytes[..9], [0, 0, 0, 1, 0, 0, 0xff, 0xff, 0xff]);
        assert_eq!(unpack(&bytes), values);
        for beyond in [most, -most - 1, i32::MAX, i32::MIN] {
            let error = pack(&[0, beyond]).unwrap_err();
            assert!(matches!(error, HostError::StateRange { index: 1, value } if value == beyond));
        }
    }
}
