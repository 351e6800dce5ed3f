//! Text to tokens and back, whole and token by token, for both families of tokenizers.

mod common;

use std::fs;

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use sterna_model::Tokenizer;

/// Byte-level BPE of 512 tokens.
fn byte_level() -> Tokenizer {
    let json = fs::read(common::demo().join("tokenizer.json")).unwrap();
    Tokenizer::from_json(&json, 512).unwrap()
}

/// A small tokenizer of the Llama family: spaces as ▁, one in front, bytes as `<0xNN>`.
fn byte_fallback_json() -> Value {
    let mut vocab = Map::new();
    for (id, token) in ["<unk>", "<s>", "</s>"].into_iter().enumerate() {
        vocab.insert(token.into(), id.into());
    }
    for byte in 0..256 {
        vocab.insert(format!("<0x{byte:02X}>"), (3 + byte).into());
    }
    for token in ["▁", "t", "h", "e", "s", "a", "th", "the", "▁the", "▁s", "é"] {
        vocab.insert(token.into(), vocab.len().into());
    }
    let special = |id: u32, content: &str| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false,
            "rstrip": false, "normalized": false, "special": true})
    };
    json!({
        "version": "1.0", "truncation": null, "padding": null,
        "added_tokens": [special(0, "<unk>"), special(1, "<s>"), special(2, "</s>")],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
        "pre_tokenizer": null,
        "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
                {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}},
                {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
        "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
            {"type": "ByteFallback"}, {"type": "Fuse"},
            {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
        "model": {"type": "BPE", "dropout": null, "unk_token": "<unk>",
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": true,
            "byte_fallback": true, "vocab": vocab,
            "merges": ["t h", "th e", "▁ the", "▁ s"]},
    })
}

fn byte_fallback() -> Tokenizer {
    Tokenizer::from_json(byte_fallback_json().to_string().as_bytes(), 300).unwrap()
}

/// All pieces of a stream, and the greatest number of tokens between two pieces.
fn streamed(tokenizer: &Tokenizer, ids: &[u32]) -> (String, usize) {
    let mut stream = tokenizer.stream();
    let (mut text, mut silent, mut longest) = (String::new(), 0, 0);
    for &id in ids {
        silent += 1;
        if let Some(piece) = stream.push(id).unwrap() {
            assert!(!piece.is_empty());
            text.push_str(&piece);
            longest = longest.max(silent);
            silent = 0;
        }
    }
    text.push_str(&stream.finish().unwrap());
    (text, longest)
}

const TEXTS: [&str; 9] = [
    "",
    " ",
    "First Citizen:\nBefore we proceed any further, hear me speak.",
    "the the  the   the s",
    " leading and trailing ",
    "naïve café 漢字かな 🦀🦀 e\u{301} \u{200d}",
    "\u{fffd} a replacement \u{fffd}\u{fffd} in the text",
    "tab\tnewline\r\nnull\0end",
    "🦀",
];

#[test]
fn text_survives_the_round_trip() {
    for tokenizer in [byte_level(), byte_fallback()] {
        for text in TEXTS {
            let ids = tokenizer.encode(text, false).unwrap();
            assert_eq!(tokenizer.decode(&ids).unwrap(), text);
            assert_eq!(streamed(&tokenizer, &ids).0, text);
            let (again, bytes) = tokenizer.encode_with_bytes(text).unwrap();
            assert_eq!(ids, again);
            assert_eq!(bytes.len(), ids.len());
            assert_eq!(bytes.iter().sum::<usize>(), text.len(), "{text:?}");
        }
    }
}

#[test]
fn bytes_of_known_tokens() {
    let tokenizer = byte_fallback();
    let (ids, bytes) = tokenizer.encode_with_bytes("the s漢the").unwrap();
    let tokens = [267, 268, 3 + 0xe6, 3 + 0xbc, 3 + 0xa2, 266];
    assert_eq!(ids, tokens);
    // One space of "▁the" is not in the text; a character's bytes count for its first token.
    assert_eq!(bytes, [3, 2, 3, 0, 0, 3]);
}

/// Whatever text a tokenizer drops at the end counts for the last token.
#[test]
fn bytes_that_no_token_says() {
    let mut json = byte_fallback_json();
    let strip = json!({"type": "Strip", "strip_left": false, "strip_right": true});
    json["normalizer"]["normalizers"].as_array_mut().unwrap().insert(0, strip);
    let tokenizer = Tokenizer::from_json(json.to_string().as_bytes(), 300).unwrap();
    let (ids, bytes) = tokenizer.encode_with_bytes("the s  ").unwrap();
    assert_eq!((ids, bytes), (vec![267, 268], vec![3, 4]));
}

#[test]
fn special_tokens_are_added_on_request_and_never_shown() {
    let tokenizer = byte_fallback();
    let ids = tokenizer.encode("the", true).unwrap();
    assert_eq!(ids, [1, 267]);
    assert_eq!(tokenizer.encode("the", false).unwrap(), [267]);
    assert_eq!(tokenizer.decode(&[1, 267, 2]).unwrap(), "the");
    assert_eq!(streamed(&tokenizer, &[1, 267, 2, 2, 268, 0]).0, "the s");
    // 299 is in the model's vocabulary but not in the tokenizer's.
    assert_eq!(tokenizer.decode(&[267, 299, 268]).unwrap(), "the s");
    assert_eq!(streamed(&tokenizer, &[267, 299, 268]).0, "the s");
    // However many there are, what follows is no start of a text.
    let many = [&[267][..], &[1; 100], &[268]].concat();
    assert_eq!(streamed(&tokenizer, &many).0, "the s");
}

#[test]
fn a_character_in_pieces_appears_when_complete() {
    let tokenizer = byte_fallback();
    let mut stream = tokenizer.stream();
    let crab = [0xf0, 0x9f, 0xa6, 0x80].map(|byte| 3 + byte);
    assert_eq!(stream.push(267).unwrap().as_deref(), Some("the"));
    for id in &crab[..3] {
        assert_eq!(stream.push(*id).unwrap(), None);
    }
    assert_eq!(stream.push(crab[3]).unwrap().as_deref(), Some("🦀"));
    assert_eq!(stream.push(crab[0]).unwrap(), None);
    assert_ne!(stream.finish().unwrap(), "", "what is incomplete comes at the end");
    // The stream starts anew: the leading space is dropped again.
    assert_eq!(stream.push(267).unwrap().as_deref(), Some("the"));
    assert_eq!(stream.push(267).unwrap().as_deref(), Some(" the"));
    assert_eq!(stream.finish().unwrap(), "");
}

/// Of bytes, a token may end in the middle of a character.
#[test]
fn a_token_of_a_text_and_a_piece() {
    let json = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": null, "pre_tokenizer": null, "post_processor": null,
        "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false,
            "use_regex": false},
        "model": {"type": "BPE", "dropout": null, "unk_token": null,
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
            "byte_fallback": false, "vocab": {"a": 0, "Ã": 1, "©": 2, "aÃ": 3},
            "merges": ["a Ã"]},
    });
    let tokenizer = Tokenizer::from_json(json.to_string().as_bytes(), 4).unwrap();
    assert_eq!(format!("{tokenizer:?}"), "Tokenizer { vocab: 4, .. }");
    let mut stream = tokenizer.stream();
    assert_eq!(stream.push(3).unwrap().as_deref(), Some("a"));
    assert_eq!(stream.push(2).unwrap().as_deref(), Some("é"));
    assert_eq!(stream.push(0).unwrap().as_deref(), Some("a"));
}

/// Bytes with one more that fits no character are all shown as such; what was said stays said.
#[test]
fn what_was_given_out_is_not_taken_back() {
    let tokenizer = byte_fallback();
    let mut stream = tokenizer.stream();
    let bytes = [0xc3, 0xa9, 0xff].map(|byte| 3 + byte);
    assert_eq!(stream.push(bytes[0]).unwrap(), None);
    assert_eq!(stream.push(bytes[1]).unwrap().as_deref(), Some("é"));
    assert_eq!(stream.push(bytes[2]).unwrap(), None);
    assert_eq!(stream.push(260).unwrap().as_deref(), Some("\u{fffd}t"));
}

/// A refused token leaves the stream as it was.
#[test]
fn a_stream_survives_a_bad_token() {
    let tokenizer = byte_fallback();
    let mut stream = tokenizer.stream();
    stream.push(267).unwrap();
    assert_eq!(stream.push(300).unwrap_err().code(), "M064");
    assert_eq!(stream.push(267).unwrap().as_deref(), Some(" the"));
}

/// What depends on chance or length is switched off.
#[test]
fn truncation_padding_and_dropout_are_ignored() {
    let mut json = byte_fallback_json();
    json["truncation"] =
        json!({"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0});
    json["padding"] = json!({"strategy": {"Fixed": 50}, "direction": "Right",
        "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0, "pad_token": "<unk>"});
    json["model"]["dropout"] = json!(0.9);
    let tokenizer = Tokenizer::from_json(json.to_string().as_bytes(), 300).unwrap();
    for _ in 0..20 {
        assert_eq!(tokenizer.encode("the the the", true).unwrap(), [1, 267, 267, 267]);
    }
}

/// The post-processor may add a token that no vocabulary lists.
#[test]
fn an_added_token_outside_the_model_is_an_error() {
    let mut json = byte_fallback_json();
    json["post_processor"]["special_tokens"]["<s>"]["ids"] = json!([7000]);
    let tokenizer = Tokenizer::from_json(json.to_string().as_bytes(), 300).unwrap();
    assert_eq!(tokenizer.encode("the", true).unwrap_err().code(), "M064");
    assert_eq!(tokenizer.encode("the", false).unwrap(), [267]);
}

proptest! {
    #![proptest_config(common::seeded(300))]

    /// Of SentencePiece's kind all but U+2581, which is how it writes a space.
    #[test]
    fn any_text_survives(text in "(\\PC|\u{2581}){0,60}") {
        let spaced = text.replace('\u{2581}', " ");
        for (tokenizer, expected) in [(byte_level(), &text), (byte_fallback(), &spaced)] {
            let (ids, bytes) = tokenizer.encode_with_bytes(&text).unwrap();
            prop_assert_eq!(bytes.iter().sum::<usize>(), if ids.is_empty() { 0 } else { text.len() });
            prop_assert_eq!(&tokenizer.decode(&ids).unwrap(), expected);
            prop_assert_eq!(&streamed(&tokenizer, &ids).0, expected);
        }
    }

    /// A byte-level stream of any tokens says what decoding them at once says, and holds
    /// back a bounded number of them.
    #[test]
    fn any_tokens_stream_as_they_decode(ids in prop::collection::vec(0u32..512, 0..120)) {
        let tokenizer = byte_level();
        let (text, longest) = streamed(&tokenizer, &ids);
        let whole = tokenizer.decode(&ids).unwrap();
        let visible = ids.iter().filter(|&&id| id > 2).count();
        if visible < 16 {
            prop_assert_eq!(&text, &whole);
        }
        // Where 16 tokens in a row were no character, the cut may fall into the next one.
        let plain = |s: &str| s.replace(char::REPLACEMENT_CHARACTER, "");
        if !whole.contains(&"\u{fffd}".repeat(12)) {
            prop_assert_eq!(&text, &whole);
        } else {
            prop_assert!(plain(&text).len() <= plain(&whole).len());
        }
        prop_assert!(longest <= 16 + ids.len() - visible);
    }

    /// With bytes as tokens, invalid ones may spoil their neighbours differently, but the
    /// stream never fails and never waits for long.
    #[test]
    fn any_bytes_stream(ids in prop::collection::vec(0u32..300, 0..120)) {
        let tokenizer = byte_fallback();
        let (_, longest) = streamed(&tokenizer, &ids);
        let audible = ids.iter().filter(|&&id| (3..270).contains(&id)).count();
        prop_assert!(longest <= 17 + ids.len() - audible);
    }

    /// A damaged tokenizer.json loads or is an error.
    #[test]
    fn damaged_files_never_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut json = byte_fallback_json().to_string().into_bytes();
        for (at, byte) in changes {
            let at = at.index(json.len());
            json[at] = byte;
        }
        if let Ok(tokenizer) = Tokenizer::from_json(&json, 300) {
            let ids = tokenizer.encode("the s é 🦀", true);
            let _ = ids.map(|ids| tokenizer.decode(&ids));
        }
    }
}
