//! Chat templates: those of the world, bad ones, and ones that would never end.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use sterna::HostError;
use sterna::template::{Message, Role, Template};
use sterna_firmware::compile::compile;
use sterna_firmware::model::{Description, Model};
use sterna_model::{ChatTemplate, Checkpoint};
use sterna_rtl::random::Rng;

const CHATML: &str = "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + \
                      message['content'] + '<|im_end|>' + '\n'}}{% endfor %}\
                      {% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/// With blocks on lines of their own, whose ends and indents are not part of the text.
const LLAMA: &str = "\
{% if messages[0]['role'] == 'system' %}
    {% set loop_messages = messages[1:] %}
    {% set system_message = messages[0]['content'] %}
{% else %}
    {% set loop_messages = messages %}
    {% set system_message = false %}
{% endif %}
{% for message in loop_messages %}
    {% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}
        {{- raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}
    {% endif %}
    {% if loop.index0 == 0 and system_message != false %}
        {% set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}
    {% else %}
        {% set content = message['content'] %}
    {% endif %}
    {% if message['role'] == 'user' %}
        {{- bos_token + '[INST] ' + content.strip() + ' [/INST]' -}}
    {% elif message['role'] == 'assistant' %}
        {{- ' '  + content.strip() + ' ' + eos_token -}}
    {% endif %}
{% endfor %}
";

/// With a namespace, filters, tests, tools that are none, and methods of Python's texts.
const MISTRAL: &str = "\
{%- if messages[0].role == 'system' %}
    {%- set system_message = messages[0].content | trim %}
    {%- set loop_messages = messages[1:] %}
{%- else %}
    {%- set loop_messages = messages %}
{%- endif %}
{%- if not tools is defined %}{%- set tools = none %}{%- endif %}
{%- set user_messages = loop_messages | selectattr('role', 'equalto', 'user') | list %}
{%- set ns = namespace(users=0) %}
{{- bos_token }}
{%- for message in loop_messages %}
    {%- if message['role'] == 'user' %}
        {%- set ns.users = ns.users + 1 %}
        {%- if tools is not none and (message == user_messages[-1]) %}
            {{- '[AVAILABLE_TOOLS] ' + tools | tojson + '[/AVAILABLE_TOOLS]' }}
        {%- endif %}
        {%- if loop.last and system_message is defined %}
            {{- '[INST] ' + system_message + '\\n\\n' + message['content'] + '[/INST]' }}
        {%- else %}
            {{- '[INST] ' + message['content'] + '[/INST]' }}
        {%- endif %}
    {%- elif message['role'] == 'assistant' %}
        {{- ' ' + message['content'].split('</think>')[-1].rstrip() + eos_token }}
    {%- endif %}
{%- endfor %}
{%- if ns.users != user_messages | length %}{{ raise_exception('lost a turn') }}{%- endif %}";

fn own(template: &str) -> Template {
    chat(template).unwrap()
}

fn chat(template: &str) -> Result<Template, HostError> {
    Template::new(&ChatTemplate::new(template, Some("<s>"), Some("</s>")).unwrap())
}

fn say(role: Role, content: &str) -> Message {
    Message::new(role, content)
}

fn conversation() -> Vec<Message> {
    vec![
        say(Role::System, "Be short. "),
        say(Role::User, "Who are you?"),
        say(Role::Assistant, " A bird.\n"),
        say(Role::User, "Écris {{ messages }} <b>&amp; {% raw %}"),
    ]
}

#[test]
fn conversations_by_templates_of_the_world() {
    let all = [
        ("plain", Template::plain()),
        ("ChatML", own(CHATML)),
        ("Llama", own(LLAMA)),
        ("Mistral", own(MISTRAL)),
    ];
    let mut text = String::new();
    for (name, template) in all {
        for (messages, prompt) in [
            (&conversation()[..], true),
            (&conversation()[1..], true),
            (&conversation()[..3], false),
        ] {
            let rendered = template.render(messages, prompt).unwrap();
            writeln!(text, "== {name}, {} messages\n{rendered}|", messages.len()).unwrap();
        }
    }
    insta::assert_snapshot!(text);
}

/// The operator is not the engine's own.
#[test]
fn sums_are_those_of_python() {
    for (sum, want) in [
        ("1 + 2", "3"),
        ("'a' + 'é'", "aé"),
        ("1.5 + 2", "3.5"),
        ("([1] + [2, 'x'] + messages[:1]) | length", "4"),
        ("([1] + [2])[1] + 1", "3"),
        ("((1, 2) + (3,)) | length", "3"),
        ("2 * 3.5", "7.0"),
        ("3 * 'ab'", "ababab"),
        ("'ab' * -1", ""),
        ("messages[0] == messages[0] and messages[0] != messages[1]", "True"),
        ("[1, [2]] == [1, [2]] and 1 < 2 and 'b' >= 'a'", "True"),
        ("{'a': 1, 'b': [2]}.b[0]", "2"),
        ("[1, 2] | join(', ')", "1, 2"),
        ("{'a': [1, none]} | tojson", r#"{"a": [1, null]}"#),
        ("1 + 2 * 3 - 4", "3"),
        ("'-'.join(['a', 'b'] + ['c'])", "a-b-c"),
        ("''.join([])", ""),
        ("'a' ~ 1 ~ nothing ~ true", "a1True"),
    ] {
        let rendered = own(&format!("{{{{ {sum} }}}}")).render(&conversation(), true);
        assert_eq!(rendered.unwrap(), want, "{sum}");
    }
    for wrong in ["1 + 'a'", "none + 'a'", "nothing + 'a'", "[1] + 1", "'{}'.format(1)"] {
        let error = own(&format!("{{{{ {wrong} }}}}")).render(&conversation(), true).unwrap_err();
        assert_eq!(error.code(), "H030", "{wrong}");
    }
}

#[test]
fn what_is_wrong_is_told() {
    let turn = |role| vec![say(role, "Hello")];
    let mut text = String::new();
    let mut told = |name: &str, result: Result<String, HostError>| {
        let error = result.expect_err(name);
        writeln!(text, "{name}\n  {}: {error}", error.code()).unwrap();
    };
    for (name, template) in [
        ("not closed", "a\nb{% if messages %}"),
        ("no such tag", "{% frobnicate %}"),
        ("no such filter", "{{ messages | frobnicate }}"),
        ("an include", "\n{% include '/etc/passwd' %}"),
        ("nested too deep", &("{{".to_owned() + &"(".repeat(3000))),
    ] {
        told(name, chat(template).and_then(|template| template.render(&turn(Role::User), true)));
    }
    for (name, template) in [
        ("no such function", "a\n{{ strftime_now('%Y') }}"),
        ("no such method", "{{ messages[0].content.frobnicate() }}"),
        ("of nothing", "\n\n{{ nothing.at.all }}"),
        ("wrong types", "{{ messages + 1 }}"),
        ("its own words", "{{ raise_exception('no\nway: ' ~ 'x' * 300) }}"),
    ] {
        told(name, own(template).render(&turn(Role::User), true));
    }
    let endless = "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}";
    told("no end", own(endless).render(&turn(Role::User), true));
    told("the wrong speaker", own(LLAMA).render(&turn(Role::Assistant), true));
    insta::assert_snapshot!(text);
}

/// Each of these would take for ever or all memory.
#[test]
fn whatever_a_template_does_it_ends() {
    let loops = |depth: usize, body: &str| {
        let inner = "{% for i in range(99999) %}".repeat(depth) + body;
        inner + &"{% endfor %}".repeat(depth)
    };
    let endless = [
        ("loops", loops(9, "")),
        ("text", loops(2, "a text of some length")),
        ("doubling", "{% set x = 'x' %}".to_owned() + &"{% set x = x ~ x %}".repeat(60)),
        (
            "doubling in a namespace",
            "{% set ns = namespace(x='x') %}".to_owned()
                + &loops(1, "{% set ns.x = ns.x + ns.x %}"),
        ),
        (
            "doubling lists",
            "{% set x = ['x'] %}".to_owned() + &"{% set x = x + x %}".repeat(60) + "{{ x }}",
        ),
        ("lists of lists", "{% set x = [1] * 99999999 %}{{ (x + x) | length }}".into()),
        ("all characters", "{% set x = 'x' * 9999999 %}{{ x.split('') | length }}".into()),
        ("repeating", "{{ 'x' * 99999999999 }}".into()),
        ("replacing", {
            let ten = "{% set x = x | replace('x', 'xxxxxxxxxx') %}".repeat(12);
            "{% set x = 'x' %}".to_owned() + &ten
        }),
        ("replacing as Python does", {
            let ten = "{% set x = x.replace('x', 'xxxxxxxxxx') %}".repeat(12);
            "{% set x = 'x' %}".to_owned() + &ten
        }),
        ("joining", {
            let ten = "{% set x = [x, x, x, x, x, x, x, x, x, x] | join(x) %}".repeat(6);
            "{% set x = 'xxxxxxxx' %}".to_owned() + &ten
        }),
        (
            "nesting and doubling",
            "{% set x = [1] %}".to_owned() + &"{% set x = [x, x] %}".repeat(60) + "{{ x == x }}",
        ),
        (
            "nesting",
            "{% set n = namespace(x=[]) %}".to_owned() + &loops(2, "{% set n.x = [n.x] %}"),
        ),
        (
            "nesting maps",
            "{% set n = namespace(x={}) %}".to_owned() + &loops(2, "{% set n.x = {'a': n.x} %}"),
        ),
        (
            "a chain of namespaces",
            "{% set n = namespace() %}".to_owned()
                + &loops(2, "{% set m = namespace() %}{% set m.p = n.p %}{% set n.p = m %}"),
        ),
        (
            "a namespace in itself",
            "{% set n = namespace() %}{% set n.p = n %}{{ n == [n] }}{{ n | tojson }}".into(),
        ),
        ("indenting", "{{ 'a\nb' | indent(9999999999) }}".into()),
        ("padding", "{{ '%9999999999d' | format(1) }}".into()),
        ("padding as Python does", "{{ '{:>9999999999}'.format(1) }}".into()),
        ("slices", "{% set x = 'x' * 9999999 %}".to_owned() + &loops(1, "{% set y = x[1:] %}")),
        ("captured text", {
            "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}"
                .into()
        }),
        ("itself", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}".into()),
    ];
    // Lists in which one text of a megabyte stands many times.
    let heavy = |use_of_it: &str| {
        let many = "x, ".repeat(3000);
        format!("{{% set x = 'x' * 999999 %}}{{% set y = [{many}] %}}{use_of_it}")
    };
    let heavy = [
        "{{ y }}",
        "{{ y ~ 'z' }}",
        "{{ [y, y] ~ 'z' }}",
        "{{ '-'.join(y) }}",
        "{{ y | join('-') | length }}",
        "{{ [y, y] | join('-') | length }}",
        "{{ y | string | length }}",
        "{{ y | tojson | length }}",
        "{{ y | pprint | length }}",
        "{{ y | map('upper') | list | length }}",
        "{{ y | map('replace', 'x', 'yy') | list | length }}",
        "{% set z %}{{ y }}{% endset %}{{ z | length }}",
        "{{ y == y }}",
    ]
    .map(|use_of_it| (use_of_it, heavy(use_of_it)));
    for (name, template) in endless.into_iter().chain(heavy) {
        println!("{name}");
        let begin = Instant::now();
        let error = own(&template).render(&conversation(), true).expect_err(name);
        assert!(["H030", "H032"].contains(&error.code()), "{name}: {error}");
        assert!(begin.elapsed() < Duration::from_secs(60), "{name}");
    }
    let peak = sterna::output::peak_memory().expect("Linux tells");
    assert!(peak < 1 << 29, "{peak} bytes");
}

/// Words of which contents are made: what a template, or a conversation, could take for its own.
const WORDS: [&str; 12] = [
    "the ",
    "king",
    "\n",
    " ",
    "é😀",
    "{{ x }}",
    "{% if %}",
    "<|im_end|>",
    "User:",
    "'\"\\",
    "#}",
    "",
];

fn random_content(rng: &mut Rng) -> String {
    (0..rng.below(8)).map(|_| WORDS[rng.below(WORDS.len() as u64) as usize]).collect()
}

#[test]
fn contents_stay_what_they_are_and_turns_extend_the_text() {
    let seed = std::env::var("STERNA_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7);
    println!("seed {seed}: replay with STERNA_SEED={seed}");
    let rng = &mut Rng::new(seed);
    let (plain, chatml) = (Template::plain(), own(CHATML));
    for _ in 0..300 {
        let mut messages = vec![];
        let (mut before, mut want) = (String::new(), String::new());
        if rng.below(2) == 0 {
            messages.push(say(Role::System, &random_content(rng)));
            write!(want, "<|im_start|>system\n{}<|im_end|>\n", messages[0].content).unwrap();
        }
        for _ in 0..1 + rng.below(4) {
            let (question, answer) = (random_content(rng), format!(" {}", random_content(rng)));
            write!(want, "<|im_start|>user\n{question}<|im_end|>\n").unwrap();
            messages.push(say(Role::User, &question));
            let prompt = plain.render(&messages, true).unwrap();
            assert!(prompt.starts_with(&before), "{prompt:?} does not begin with {before:?}");
            assert!(prompt.ends_with("\nAssistant:"), "{prompt:?}");
            let rendered = chatml.render(&messages, true).unwrap();
            assert_eq!(rendered, format!("{want}<|im_start|>assistant\n"));
            before = prompt + &answer;
            messages.push(say(Role::Assistant, &answer));
            write!(want, "<|im_start|>assistant\n{answer}<|im_end|>\n").unwrap();
            assert_eq!(chatml.render(&messages, false).unwrap(), want);
        }
    }
}

#[test]
fn messages_are_those_of_others() {
    let text = r#"[{"role": "user", "content": "Hi", "name": "me"}]"#;
    let messages: Vec<Message> = serde_json::from_str(text).unwrap();
    assert_eq!(messages, [say(Role::User, "Hi")]);
    let back = serde_json::to_string(&messages).unwrap();
    assert_eq!(back, r#"[{"role":"user","content":"Hi"}]"#);
    assert!(serde_json::from_str::<Message>(r#"{"role": "tool", "content": "Hi"}"#).is_err());
}

/// The tiny checkpoint with a `tokenizer_config.json`, imported.
fn imported(tokenizer_config: Option<&str>) -> (tempfile::TempDir, std::sync::Arc<Model>) {
    let folder = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../model/demo/shakespeare-tiny");
    for file in ["config.json", "model.safetensors", "tokenizer.json"] {
        fs::copy(from.join(file), folder.path().join(file)).unwrap();
    }
    if let Some(text) = tokenizer_config {
        fs::write(folder.path().join("tokenizer_config.json"), text).unwrap();
    }
    let path = folder.path().join("model.sterna");
    compile(&Checkpoint::open(folder.path()).unwrap(), &path, &mut |_| ()).unwrap();
    let model = Model::open(&path).unwrap();
    (folder, model)
}

#[test]
fn import_keeps_the_template() {
    let config = serde_json::json!({
        "chat_template": CHATML,
        "bos_token": {"content": "<s>"},
        "eos_token": "R",
    });
    let (_folder, model) = imported(Some(&config.to_string()));
    let description = model.description();
    let kept = description.chat.as_ref().unwrap();
    assert_eq!(*kept, ChatTemplate::new(CHATML, Some("<s>"), Some("R")).unwrap());
    let template = Template::of(description).unwrap();
    let rendered = template.render(&conversation(), true).unwrap();
    assert_eq!(rendered, own(CHATML).render(&conversation(), true).unwrap());
    assert_eq!((template.is_plain(), template.stop()), (false, None));
    // `R` is one token, 52, of this tokenizer, and ends an answer.
    let tokenizer = model.tokenizer().unwrap().unwrap();
    let stops = template.stop_tokens(&tokenizer, description).unwrap();
    assert_eq!(stops, [&description.eos[..], &[52]].concat());
    assert_eq!(template.encode(&tokenizer, "R").unwrap(), [52]);
}

#[test]
fn a_template_in_a_file_of_its_own_wins() {
    let (folder, _) = imported(Some(r#"{"chat_template": "old", "eos_token": "R"}"#));
    let import = || {
        let path = folder.path().join("model.sterna");
        compile(&Checkpoint::open(folder.path()).unwrap(), &path, &mut |_| ()).unwrap();
        Model::open(&path).unwrap().description().chat.clone()
    };
    fs::write(folder.path().join("chat_template.jinja"), CHATML).unwrap();
    assert_eq!(import(), ChatTemplate::new(CHATML, None, Some("R")));
    fs::remove_file(folder.path().join("tokenizer_config.json")).unwrap();
    assert_eq!(import(), ChatTemplate::new(CHATML, None, None));
}

#[test]
fn a_model_without_a_template_is_what_it_was() {
    let (folder, model) = imported(None);
    let (other, _) = imported(Some(r#"{"bos_token": "<s>", "chat_template": null}"#));
    let [a, b] =
        [folder, other].map(|folder| fs::read(folder.path().join("model.sterna")).unwrap());
    assert_eq!(a, b);
    let template = Template::of(model.description()).unwrap();
    assert_eq!((template.is_plain(), template.stop()), (true, Some("\nUser:")));
    let tokenizer = model.tokenizer().unwrap().unwrap();
    let stops = template.stop_tokens(&tokenizer, model.description()).unwrap();
    assert_eq!(stops, model.description().eos);
    // A description from before there were templates.
    let json = serde_json::to_value(model.description()).unwrap();
    assert!(json.get("chat").is_none(), "{json}");
    let old: Description = serde_json::from_value(json).unwrap();
    assert_eq!(old, *model.description());
}
