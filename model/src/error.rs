//! Everything that can be wrong with a checkpoint, its tokenizer or a request for one.
//!
//! A message names the file, the tensor and the byte offset where there is one, and ends
//! with what the user can do about it. Codes are stable: scripts may match on them.

use std::path::PathBuf;

/// The crate's result.
pub type Result<T> = std::result::Result<T, ModelError>;

/// One variant per cause.
#[derive(thiserror::Error, Debug)]
#[non_exhaustive]
pub enum ModelError {
    /// The operating system refused an operation on a file or directory.
    #[error("{}: cannot {action}: {source}; check that the path exists and that you may access it", path.display())]
    Io {
        /// The operation, as a verb phrase ("open", "read").
        action: &'static str,
        /// What it was tried on.
        path: PathBuf,
        /// The system's own words.
        source: std::io::Error,
    },
    /// The directory to import does not exist.
    #[error("{}: no such directory; give the directory that holds config.json and model.safetensors", path.display())]
    NoDirectory {
        /// As asked for.
        path: PathBuf,
    },
    /// A file was named where a model directory is needed.
    #[error("{}: this is a file, not a model directory; give the directory that holds config.json and model.safetensors", path.display())]
    NotADirectory {
        /// As asked for.
        path: PathBuf,
    },
    /// An imported model was named where a published one is needed.
    #[error("{}: this is an imported .sterna model, not a published checkpoint; use it with `sterna run`, or import the directory it was made from", path.display())]
    AlreadyImported {
        /// As asked for.
        path: PathBuf,
    },
    /// The directory has no config.json.
    #[error("{}: there is no config.json; download the model's whole directory", dir.display())]
    NoConfig {
        /// The model directory.
        dir: PathBuf,
    },
    /// A small file is larger than such a file can sensibly be.
    #[error("{}: the file has more than {limit} bytes, too many for {what}; check that it is the right file", path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// What the file should be.
        what: &'static str,
        /// Accepted size in bytes.
        limit: u64,
    },
    /// A text file is not UTF-8.
    #[error("{}: not UTF-8 at byte {offset}; download the file again", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// First bad byte.
        offset: usize,
    },
    /// config.json is not a JSON object.
    #[error("{}: not a JSON object ({detail}); download the file again", path.display())]
    ConfigSyntax {
        /// The file.
        path: PathBuf,
        /// The parser's words, with line and column.
        detail: String,
    },
    /// A key of config.json has a value of the wrong kind.
    #[error("{}: {key} is {found}, but must be {expected}; correct the file", path.display())]
    ConfigType {
        /// The file.
        path: PathBuf,
        /// The key.
        key: &'static str,
        /// Its value, shortened.
        found: String,
        /// What the key takes.
        expected: &'static str,
    },
    /// A key of config.json is outside what can be built.
    #[error("{}: {key} is {found}, but must be within {min} and {max}; this model cannot be imported", path.display())]
    ConfigRange {
        /// The file.
        path: PathBuf,
        /// The key, or the name of the dimension that follows from it.
        key: &'static str,
        /// Its value.
        found: u64,
        /// Least accepted value.
        min: u64,
        /// Greatest accepted value.
        max: u64,
    },
    /// A dimension does not divide into the groups that hardware reads.
    #[error("{}: {key} is {found}, but must be a multiple of 32; pad the model's weights with zeros to the next multiple and retry", path.display())]
    ConfigMultiple {
        /// The file.
        path: PathBuf,
        /// The key, or the name of the dimension that follows from it.
        key: &'static str,
        /// Its value.
        found: u64,
    },
    /// Not a MatMul-free model.
    #[error("{}: model_type is {found}, but only \"hgrn_bit\" (MatMul-free LM) can be imported; choose such a model", path.display())]
    ModelType {
        /// The file.
        path: PathBuf,
        /// The value, shortened.
        found: String,
    },
    /// Short convolutions never worked in the published code, so no weights for them exist.
    #[error("{}: use_short_conv is true, which the published code cannot run either; import a model trained without it", path.display())]
    ShortConv {
        /// The file.
        path: PathBuf,
    },
    /// The head shares the embeddings' weights.
    #[error("{}: tie_word_embeddings is true, but the ternary lm_head needs weights of its own; save the model with lm_head.weight untied", path.display())]
    TiedEmbeddings {
        /// The file.
        path: PathBuf,
    },
    /// Another attention mode than the one that exists.
    #[error("{}: attn_mode is {found}, but only \"fused_recurrent\" exists; correct the file", path.display())]
    AttnMode {
        /// The file.
        path: PathBuf,
        /// The value, shortened.
        found: String,
    },
    /// num_heads is null or zero.
    #[error("{}: num_heads is {found}, but at least one head is needed; set it to 1, which changes no result", path.display())]
    NoHeads {
        /// The file.
        path: PathBuf,
        /// `null` or `0`.
        found: &'static str,
    },
    /// The heads do not divide the inner width.
    #[error("{}: num_heads is {heads}, which does not divide the inner width {inner}; set it to 1, which changes no result", path.display())]
    HeadsDivide {
        /// The file.
        path: PathBuf,
        /// Heads.
        heads: u64,
        /// hidden_size × expand_ratio.
        inner: u64,
    },
    /// Lower bounds have hidden_size channels, an expanded state has more.
    #[error("{}: expand_ratio is {ratio} together with use_lower_bound, which the published code cannot run either; import a model with expand_ratio 1 or use_lower_bound false", path.display())]
    ExpandWithLowerBounds {
        /// The file.
        path: PathBuf,
        /// expand_ratio.
        ratio: u64,
    },
    /// rms_norm_eps is not a small positive number.
    #[error("{}: rms_norm_eps is {found}, but must be above 0 and below 1; correct the file (published: 1e-6)", path.display())]
    Epsilon {
        /// The file.
        path: PathBuf,
        /// The value, shortened.
        found: String,
    },
    /// A begin or end token that the vocabulary does not have.
    #[error("{}: {key} is {id}, but the vocabulary has {vocab} tokens (0 to {}); correct the file", path.display(), vocab - 1)]
    ConfigToken {
        /// The file.
        path: PathBuf,
        /// `bos_token_id` or `eos_token_id`.
        key: &'static str,
        /// The token.
        id: u64,
        /// Size of the vocabulary, at least 1.
        vocab: usize,
    },
    /// The directory has no safetensors file.
    #[error("{}: there is neither model.safetensors nor model.safetensors.index.json; download the weights in safetensors format", dir.display())]
    NoWeights {
        /// The model directory.
        dir: PathBuf,
    },
    /// The shard index is not what the hub writes.
    #[error("{}: not a shard index with a weight_map of names to files ({detail}); download the file again", path.display())]
    IndexSyntax {
        /// The index file.
        path: PathBuf,
        /// What is wrong, with line and column where known.
        detail: String,
    },
    /// A shard name that leaves the directory or is not a file name.
    #[error("{}: tensor {tensor} is said to be in {shard:?}, which is not a plain file name in this directory; do not use this index, it may be malicious", path.display())]
    ShardName {
        /// The index file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The name, shortened.
        shard: String,
    },
    /// The index names a shard that is not there.
    #[error("{}: the shard is missing, although {} names it; download it", path.display(), index.display())]
    ShardMissing {
        /// The missing shard.
        path: PathBuf,
        /// The index file.
        index: PathBuf,
    },
    /// The index says that a shard has a tensor which it has not.
    #[error("{}: tensor {tensor} is not in this shard, although the index says so; download the shard and the index again", path.display())]
    IndexedTensorMissing {
        /// The shard.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A tensor is in two shards.
    #[error("{}: tensor {tensor} is also in {}; remove the shard that does not belong to the model", path.display(), first.display())]
    TensorTwice {
        /// The second shard.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// The first shard.
        first: PathBuf,
    },
    /// The file ends before its header does.
    #[error("{}: the file has {length} bytes but its header needs {needed} (offset 0); it is truncated or no safetensors file, download it again", path.display())]
    HeaderTruncated {
        /// The file.
        path: PathBuf,
        /// Bytes in the file.
        length: u64,
        /// Bytes that the length field and the header take.
        needed: u64,
    },
    /// The header's length field is absurd.
    #[error("{}: the header claims {length} bytes (offset 0), more than the {limit} accepted; the file is damaged or no safetensors file, download it again", path.display())]
    HeaderTooLarge {
        /// The file.
        path: PathBuf,
        /// Claimed bytes.
        length: u64,
        /// Accepted bytes.
        limit: u64,
    },
    /// The header is not the JSON that the format prescribes.
    #[error("{}: the header (offset 8) is not valid: {detail}; download the file again", path.display())]
    HeaderSyntax {
        /// The file.
        path: PathBuf,
        /// The parser's words, with line and column.
        detail: String,
    },
    /// A name stands twice in one header.
    #[error("{}: tensor {tensor} stands twice in the header; save the model again", path.display())]
    HeaderDuplicate {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A tensor's range ends before it starts.
    #[error("{}: tensor {tensor} starts at data offset {start} and ends at {end}; the header is damaged, download the file again", path.display())]
    RangeReversed {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// First byte, counted from the end of the header.
        start: u64,
        /// One past the last byte.
        end: u64,
    },
    /// Shape and type do not give the length of the range.
    #[error("{}: tensor {tensor} of shape {shape:?} cannot have the {bytes} bytes at offset {offset}; the header is damaged, download the file again", path.display())]
    RangeSize {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its shape.
        shape: Vec<usize>,
        /// Bytes of its range.
        bytes: u64,
        /// Its first byte in the file.
        offset: u64,
    },
    /// Two tensors share bytes.
    #[error("{}: tensor {tensor} at offset {offset} overlaps tensor {other}; the header is damaged, download the file again", path.display())]
    RangeOverlap {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its first byte in the file.
        offset: u64,
        /// The tensor before it.
        other: String,
    },
    /// Bytes belong to no tensor.
    #[error("{}: {bytes} bytes at offset {offset} belong to no tensor; the header is damaged, download the file again", path.display())]
    RangeHole {
        /// The file.
        path: PathBuf,
        /// First unclaimed byte in the file.
        offset: u64,
        /// How many.
        bytes: u64,
    },
    /// The file ends before a tensor does.
    #[error("{}: tensor {tensor} ends at offset {end}, but the file has {length} bytes; the download is incomplete, repeat it", path.display())]
    RangeTruncated {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// One past its last byte in the file.
        end: u64,
        /// Bytes in the file.
        length: u64,
    },
    /// A tensor of the layout is nowhere.
    #[error("{}: tensor {tensor} is missing; check config.json against the weights, or download every shard", path.display())]
    TensorMissing {
        /// The file, or the index of a sharded model.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A tensor that the layout does not have.
    #[error("{}: tensor {tensor} is not part of the model that config.json describes; check config.json, or remove the tensor", path.display())]
    TensorExtra {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
    },
    /// A tensor has another shape than config.json says.
    #[error("{}: tensor {tensor} has shape {found:?}, but config.json asks for {expected:?}; check config.json against the weights", path.display())]
    TensorShape {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// In the file.
        found: Vec<usize>,
        /// By the layout.
        expected: Vec<usize>,
    },
    /// A tensor is stored in a type that weights of this model do not come in.
    #[error("{}: tensor {tensor} is stored as {found}, but only BF16, F16 and F32 are read; save the model as one of these", path.display())]
    TensorDtype {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its type.
        found: String,
    },
    /// A weight is NaN or infinite.
    #[error("{}: tensor {tensor} has {value} at element {index} (offset {offset}); the weights are damaged, download or train them again", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Element, counted row by row from 0.
        index: u64,
        /// Its first byte in the file.
        offset: u64,
        /// NaN, inf or -inf.
        value: f32,
    },
    /// A checked file no longer yields its bytes.
    #[error("{}: cannot read tensor {tensor} at offset {offset}: {source}; was the file changed meanwhile? download it again", path.display())]
    TensorRead {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// First byte of the failed read.
        offset: u64,
        /// The system's own words.
        source: std::io::Error,
    },
    /// A caller asked for a tensor that the model has not.
    #[error("{}: there is no tensor {tensor}; ask for one of the model's layout", dir.display())]
    UnknownTensor {
        /// The model directory.
        dir: PathBuf,
        /// As asked for.
        tensor: String,
    },
    /// A caller asked for rows that the tensor has not.
    #[error("{}: tensor {tensor} has {rows} rows, but rows {start} to {end} (exclusive) were asked for; ask for rows within it", path.display())]
    RowRange {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Rows of the tensor.
        rows: usize,
        /// First row asked for.
        start: usize,
        /// One past the last.
        end: usize,
    },
    /// The machine has too little memory for one tensor.
    #[error("{}: no memory for the {bytes} bytes of tensor {tensor}; free some memory or use a larger machine", path.display())]
    OutOfMemory {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Bytes asked for.
        bytes: u64,
    },
    /// tokenizer.json cannot be read.
    #[error(
        "tokenizer.json: not a tokenizer that can be used ({detail}); download it again, or remove it and work with --tokens"
    )]
    TokenizerSyntax {
        /// The tokenizer library's words.
        detail: String,
    },
    /// The tokenizer makes tokens that the model does not know.
    #[error("tokenizer.json: token {token:?} has id {id}, so the tokenizer has at least {} ids, but the model's vocabulary has {vocab}; use the tokenizer that belongs to the model", u64::from(*id) + 1)]
    TokenizerVocab {
        /// The token with the greatest id.
        token: String,
        /// Its id.
        id: u32,
        /// Size of the model's vocabulary.
        vocab: usize,
    },
    /// A text could not be cut into tokens.
    #[error(
        "tokenizer.json: cannot encode the text: {detail}; check the text, or work with --tokens"
    )]
    Encode {
        /// The tokenizer library's words.
        detail: String,
    },
    /// Tokens could not be put together into text.
    #[error(
        "tokenizer.json: cannot decode the tokens: {detail}; check that the tokenizer belongs to the model"
    )]
    Decode {
        /// The tokenizer library's words.
        detail: String,
    },
    /// A token outside the model's vocabulary.
    #[error("token {id} is outside the vocabulary of {vocab} tokens; use ids below {vocab}")]
    TokenRange {
        /// The token.
        id: u32,
        /// Size of the vocabulary.
        vocab: usize,
    },
    /// A synthetic checkpoint would mix with what is there already.
    #[error("{}: the directory is not empty; name a new directory, or empty this one first", dir.display())]
    DirectoryNotEmpty {
        /// As asked for.
        dir: PathBuf,
    },
}

impl ModelError {
    /// The cause's stable code. Every code is in [`CODES`].
    pub fn code(&self) -> &'static str {
        use ModelError::*;
        match self {
            Io { .. } => "M001",
            NoDirectory { .. } => "M002",
            NotADirectory { .. } => "M003",
            AlreadyImported { .. } => "M004",
            NoConfig { .. } => "M005",
            FileTooLarge { .. } => "M006",
            NotUtf8 { .. } => "M007",
            ConfigSyntax { .. } => "M010",
            ConfigType { .. } => "M011",
            ConfigRange { .. } => "M012",
            ConfigMultiple { .. } => "M013",
            ModelType { .. } => "M014",
            ShortConv { .. } => "M015",
            TiedEmbeddings { .. } => "M016",
            AttnMode { .. } => "M017",
            NoHeads { .. } => "M018",
            HeadsDivide { .. } => "M019",
            ExpandWithLowerBounds { .. } => "M020",
            Epsilon { .. } => "M021",
            ConfigToken { .. } => "M022",
            NoWeights { .. } => "M030",
            IndexSyntax { .. } => "M031",
            ShardName { .. } => "M032",
            ShardMissing { .. } => "M033",
            IndexedTensorMissing { .. } => "M034",
            TensorTwice { .. } => "M035",
            HeaderTruncated { .. } => "M040",
            HeaderTooLarge { .. } => "M041",
            HeaderSyntax { .. } => "M042",
            HeaderDuplicate { .. } => "M043",
            RangeReversed { .. } => "M044",
            RangeSize { .. } => "M045",
            RangeOverlap { .. } => "M046",
            RangeHole { .. } => "M047",
            RangeTruncated { .. } => "M048",
            TensorMissing { .. } => "M050",
            TensorExtra { .. } => "M051",
            TensorShape { .. } => "M052",
            TensorDtype { .. } => "M053",
            NotFinite { .. } => "M054",
            TensorRead { .. } => "M055",
            UnknownTensor { .. } => "M056",
            RowRange { .. } => "M057",
            OutOfMemory { .. } => "M058",
            TokenizerSyntax { .. } => "M060",
            TokenizerVocab { .. } => "M061",
            Encode { .. } => "M062",
            Decode { .. } => "M063",
            TokenRange { .. } => "M064",
            DirectoryNotEmpty { .. } => "M070",
        }
    }
}

/// Every code that [`ModelError::code`] returns, in order.
pub const CODES: &[&str] = &[
    "M001", "M002", "M003", "M004", "M005", "M006", "M007", "M010", "M011", "M012", "M013", "M014",
    "M015", "M016", "M017", "M018", "M019", "M020", "M021", "M022", "M030", "M031", "M032", "M033",
    "M034", "M035", "M040", "M041", "M042", "M043", "M044", "M045", "M046", "M047", "M048", "M050",
    "M051", "M052", "M053", "M054", "M055", "M056", "M057", "M058", "M060", "M061", "M062", "M063",
    "M064", "M070",
];

/// At most 60 characters of a value from outside, for a message.
pub(crate) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The source is the list: each `=> "M…"` must be in CODES, once, and nothing else.
    #[test]
    fn codes_are_unique_and_listed() {
        let source = include_str!("error.rs");
        let used: Vec<&str> = source
            .lines()
            .filter_map(|line| line.trim().split_once("{ .. } => \"")?.1.split('"').next())
            .collect();
        assert_eq!(used, CODES, "CODES must list the codes of `code()` in its order");
        let unique: std::collections::BTreeSet<_> = CODES.iter().collect();
        assert_eq!(unique.len(), CODES.len(), "a code is used twice");
    }

    #[test]
    fn shortening_cuts_between_characters() {
        assert_eq!(shorten("short"), "short");
        let long = "ü".repeat(70);
        assert_eq!(shorten(&long), format!("{}…", "ü".repeat(60)));
    }
}
