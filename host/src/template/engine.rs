//! The engine that runs templates, and what keeps it within bounds.
//!
//! The engine counts steps and the bytes of most values. Some of its operators and filters make a
//! value first and pay afterwards, or never, as they make it late, when it is written or compared. So
//! a list or map pays here for all that is in it, however deep, when it is made: nothing is larger
//! than what was paid for it, and nothing is nested deeper than [`DEPTH`]. Operators are replaced
//! in the compiled program by functions that no template can name; lists and maps cannot be written as
//! they are, only by `tojson`; filters that multiply lists are not there.

use std::sync::Arc;

use minijinja::machinery::{self, CompiledTemplate, Instruction, TemplateConfig};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, State, UndefinedBehavior};
use minijinja::{escape_formatter, functions};
use minijinja_contrib::pycompat;

use super::FUEL;

/// Lists within lists.
const DEPTH: usize = 32;
/// Steps that a namespace takes: so few that a chain of them is no deep one.
const NAMESPACE: u64 = 4000;
/// The name of the template in messages of the engine.
const NAME: &str = "chat";

type Result<T> = std::result::Result<T, Error>;

/// An environment for templates from outside; `raise` is what they call `raise_exception`.
pub fn environment(raise: fn(String) -> Result<Value>) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_unknown_method_callback(method);
    environment.set_fuel(Some(FUEL));
    environment.set_formatter(|out, state, value| {
        text_of(value)?;
        escape_formatter(out, state, value)
    });
    for filter in ["chain", "format", "pprint", "sum", "zip"] {
        environment.remove_filter(filter);
    }
    for global in ["debug", "dict"] {
        environment.remove_global(global);
    }
    environment.add_filter("string", |value: Value| text_of(&value).map(Value::from));
    environment.add_filter(
        "join",
        |state: &State<'_, '_>, values: Value, separator: Option<String>| {
            join(state, &separator.unwrap_or_default(), &values)
        },
    );
    environment.add_function("raise_exception", raise);
    environment.add_function("namespace", namespace);
    environment.add_function("+", add);
    environment.add_function("*", multiply);
    environment.add_function("~", concat);
    environment.add_function("[]", list);
    environment.add_function("{}", map);
    type Compare = fn(&Value, &Value) -> bool;
    let comparisons: [(&str, Compare); 6] = [
        ("==", PartialEq::eq),
        ("!=", PartialEq::ne),
        ("<", PartialOrd::lt),
        ("<=", PartialOrd::le),
        (">", PartialOrd::gt),
        (">=", PartialOrd::ge),
    ];
    for (name, compare) in comparisons {
        let checked = move |state: &State<'_, '_>, a: Value, b: Value| -> Result<Value> {
            weigh(state, &a, 0)?;
            weigh(state, &b, 0)?;
            Ok(Value::from(compare(&a, &b)))
        };
        environment.add_function(name, checked);
    }
    environment
}

/// A template's program, with operators of ours.
pub fn compile(template: &str) -> Result<CompiledTemplate<'_>> {
    // As the library does that checkpoints are published for.
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?;
    let config = TemplateConfig {
        syntax_config: syntax,
        default_auto_escape: Arc::new(|_| AutoEscape::None),
    };
    let mut program = CompiledTemplate::new(NAME, template, &config)?;
    let mut at = 0;
    while let Some(instruction) = program.instructions.get_mut(at) {
        let call = |name, arguments: usize| {
            // More than a template of 64 KiB can name.
            Instruction::CallFunction(name, Some(u16::try_from(arguments).unwrap_or(u16::MAX)))
        };
        let ours = match instruction {
            Instruction::Add => call("+", 2),
            Instruction::Mul => call("*", 2),
            Instruction::StringConcat => call("~", 2),
            Instruction::Eq => call("==", 2),
            Instruction::Ne => call("!=", 2),
            Instruction::Lt => call("<", 2),
            Instruction::Lte => call("<=", 2),
            Instruction::Gt => call(">", 2),
            Instruction::Gte => call(">=", 2),
            Instruction::BuildList(Some(items)) | Instruction::BuildTuple(Some(items)) => {
                call("[]", *items)
            }
            Instruction::BuildMap(pairs) => call("{}", 2 * *pairs),
            _ => {
                at += 1;
                continue;
            }
        };
        *instruction = ours;
        at += 1;
    }
    Ok(program)
}

/// Runs a program.
pub fn run<'a>(
    environment: &'a Environment<'a>,
    program: &CompiledTemplate<'a>,
    context: Value,
) -> Result<String> {
    let mut text = String::new();
    machinery::eval(
        environment,
        &program.instructions,
        context,
        &program.blocks,
        &mut machinery::make_string_output(&mut text),
        AutoEscape::None,
    )?;
    Ok(text)
}

fn wrong(what: String) -> Error {
    Error::new(ErrorKind::InvalidOperation, what)
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// Pays for all that is in a value.
fn weigh(state: &State<'_, '_>, value: &Value, depth: usize) -> Result<()> {
    if let Some(text) = value.as_str() {
        return state.consume_fuel(text.len() as u64 / 64);
    }
    let is_map = value.kind() == ValueKind::Map;
    if !is_map && !is_list(value) {
        return Ok(());
    }
    if depth == DEPTH {
        return Err(wrong(format!("more than {DEPTH} lists within lists")));
    }
    for item in value.try_iter()? {
        state.consume_fuel(1)?;
        if is_map {
            weigh(state, &value.get_item(&item)?, depth + 1)?;
        }
        weigh(state, &item, depth + 1)?;
    }
    Ok(())
}

/// A text, or what is short as one.
fn text_of(value: &Value) -> Result<String> {
    match value.kind() {
        _ if value.as_str().is_some() => Ok(value.as_str().unwrap_or_default().into()),
        ValueKind::Undefined | ValueKind::None | ValueKind::Bool | ValueKind::Number => {
            Ok(value.to_string())
        }
        kind => Err(wrong(format!("cannot write a {kind} as a text"))),
    }
}

/// `[a, b]`.
fn list(state: &State<'_, '_>, items: Rest<Value>) -> Result<Value> {
    let items = Value::from(items.0);
    weigh(state, &items, 0)?;
    Ok(items)
}

/// `{a: b}`.
fn map(state: &State<'_, '_>, parts: Rest<Value>) -> Result<Value> {
    let pairs = parts.0.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
    let map = Value::from_pairs(pairs);
    weigh(state, &map, 0)?;
    Ok(map)
}

/// `namespace(a=b)`.
fn namespace(state: &State<'_, '_>, defaults: Option<ValueOrKwargs>) -> Result<Value> {
    state.consume_fuel(NAMESPACE)?;
    functions::namespace(defaults)
}

/// `a + b`.
fn add(state: &State<'_, '_>, a: Value, b: Value) -> Result<Value> {
    if is_list(&a) && is_list(&b) {
        let mut items = vec![];
        for item in a.try_iter()?.chain(b.try_iter()?) {
            state.consume_fuel(1)?;
            weigh(state, &item, 1)?;
            items.push(item);
        }
        return Ok(Value::from(items));
    }
    if let (Some(a), Some(b)) = (a.as_str(), b.as_str()) {
        return Ok(Value::from([a, b].concat()));
    }
    number(&a, &b, i64::checked_add, |a, b| a + b)
        .ok_or_else(|| wrong(format!("cannot add {} and {}", a.kind(), b.kind())))
}

/// `a * b`.
fn multiply(state: &State<'_, '_>, a: Value, b: Value) -> Result<Value> {
    let (text, count) = if a.as_str().is_some() { (&a, &b) } else { (&b, &a) };
    if let (Some(text), Some(count)) = (text.as_str(), count.as_i64()) {
        let count = usize::try_from(count).unwrap_or(0);
        state.consume_fuel((text.len().saturating_mul(count) / 64) as u64)?;
        return Ok(Value::from(text.repeat(count)));
    }
    number(&a, &b, i64::checked_mul, |a, b| a * b)
        .ok_or_else(|| wrong(format!("cannot multiply {} and {}", a.kind(), b.kind())))
}

/// Two numbers to one, whole if both are.
fn number(
    a: &Value,
    b: &Value,
    whole: fn(i64, i64) -> Option<i64>,
    broken: fn(f64, f64) -> f64,
) -> Option<Value> {
    if !a.is_number() || !b.is_number() {
        return None;
    }
    match (a.as_i64(), b.as_i64()) {
        (Some(a), Some(b)) => whole(a, b).map(Value::from),
        _ => Some(broken(f64::try_from(a.clone()).ok()?, f64::try_from(b.clone()).ok()?).into()),
    }
}

/// `a ~ b`.
fn concat(state: &State<'_, '_>, a: Value, b: Value) -> Result<Value> {
    weigh(state, &a, 0)?;
    weigh(state, &b, 0)?;
    Ok(Value::from(text_of(&a)? + &text_of(&b)?))
}

/// A method of Python's texts, lists and maps.
fn method(state: &mut State<'_, '_>, value: &Value, name: &str, args: &[Value]) -> Result<Value> {
    if let Some(text) = value.as_str() {
        match (name, args) {
            // It pads to any width.
            ("format", _) => return Err(Error::from(ErrorKind::UnknownMethod)),
            ("join", [values]) => return join(state, text, values),
            _ => {}
        }
        // Each byte may become a value of its own.
        state.consume_fuel(text.len() as u64 / 16)?;
    }
    pycompat::unknown_method_callback(state, value, name, args)
}

/// `separator.join(values)`.
fn join(state: &State<'_, '_>, separator: &str, values: &Value) -> Result<Value> {
    let mut joined = String::new();
    for (n, value) in values.try_iter()?.enumerate() {
        let length = separator.len() + value.as_str().map_or(0, str::len);
        state.consume_fuel(1 + length as u64 / 64)?;
        joined.push_str(if n > 0 { separator } else { "" });
        joined.push_str(&text_of(&value)?);
    }
    Ok(Value::from(joined))
}
