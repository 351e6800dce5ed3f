//! The description of the report's JSON: it is current, and it is true.

use serde_json::Value;
use sterna::power::report::Report;

/// `UPDATE_DOCS=1 cargo test -p sterna --test power` writes the file.
#[test]
fn the_schema_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/power-report.schema.json");
    let schema = Report::schema();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    let published = std::fs::read_to_string(path).unwrap_or_default();
    assert!(published == schema, "docs/power-report.schema.json is stale: UPDATE_DOCS=1 writes it");
}

/// What of a value differs from a schema: its types and its keys, which must all be there.
pub fn differs(root: &Value, schema: &Value, value: &Value) -> Option<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.strip_prefix("#/$defs/").expect("all are there");
        return differs(root, &root["$defs"][name], value);
    }
    for several in ["anyOf", "oneOf"] {
        if let Some(all) = schema[several].as_array() {
            let found: Vec<_> = all.iter().map(|one| differs(root, one, value)).collect();
            let fits = found.iter().any(Option::is_none);
            return if fits { None } else { Some(format!("none of {found:?}")) };
        }
    }
    if let Some(allowed) = schema.get("const") {
        return (allowed != value).then(|| format!("{value} is not {allowed}"));
    }
    if let Some(all) = schema["enum"].as_array() {
        return (!all.contains(value)).then(|| format!("{value} is none of {all:?}"));
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        _ => panic!("a schema without a type: {schema}"),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let whole = kind == "integer" && types.contains(&"number");
    if !whole && !types.contains(&kind) {
        return Some(format!("{value} is not {types:?}"));
    }
    match value {
        Value::Array(all) => all.iter().find_map(|one| differs(root, &schema["items"], one)),
        Value::Object(object) => {
            let keys = |all: Option<&Value>| -> Vec<String> {
                let mut keys: Vec<String> = match all {
                    Some(Value::Array(all)) => {
                        all.iter().filter_map(|key| Some(key.as_str()?.to_string())).collect()
                    }
                    Some(Value::Object(all)) => all.keys().cloned().collect(),
                    _ => vec![],
                };
                keys.sort();
                keys
            };
            let (has, must) = (keys(Some(value)), keys(schema.get("required")));
            if has != must || has != keys(schema.get("properties")) {
                return Some(format!("keys {has:?}, wanted {must:?}"));
            }
            object.iter().find_map(|(key, value)| {
                let wrong = differs(root, &schema["properties"][key], value)?;
                Some(format!("{key}: {wrong}"))
            })
        }
        _ => None,
    }
}
