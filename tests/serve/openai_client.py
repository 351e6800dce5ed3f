"""OpenAI's Python client against a server of ours that has the tiny demo."""

import sys

import openai

client = openai.OpenAI(base_url=sys.argv[1], api_key="none", max_retries=0)
passed = 0


def check(holds, what):
    global passed
    assert holds, what
    passed += 1


check([model.id for model in client.models.list()] == ["tiny"], "models")
greedy = {"model": "tiny", "prompt": "ROMEO:", "max_tokens": 12, "temperature": 0}
whole = client.completions.create(**greedy, logprobs=2)
text = whole.choices[0].text
check(whole.usage.completion_tokens == 12, whole.usage)
check("".join(whole.choices[0].logprobs.tokens) == text, whole.choices[0].logprobs)
check(whole.usage.sterna["seconds"] > 0, "the extension")
pieces = list(client.completions.create(**greedy, stream=True))
check("".join(piece.choices[0].text for piece in pieces) == text, "a stream of text")

talk = {
    "model": "tiny",
    "messages": [{"role": "user", "content": "Who is there?"}],
    "max_tokens": 12,
    "temperature": 0.5,
    "seed": 3,
}
said = client.chat.completions.create(**talk, logprobs=True, top_logprobs=2)
check(said.choices[0].message.role == "assistant", said)
stream = client.chat.completions.create(
    **talk, stream=True, stream_options={"include_usage": True}
)
chunks = list(stream)
words = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
check("".join(words) == said.choices[0].message.content, "a stream of a conversation")
check(chunks[-1].usage.total_tokens == said.usage.total_tokens, chunks[-1])

try:
    client.completions.create(model="other", prompt="x")
except openai.NotFoundError as error:
    check(error.code == "model_not_found", error)
try:
    client.completions.create(model="tiny", prompt="x", temperature=-1)
except openai.BadRequestError as error:
    check(error.param == "temperature", error)
print(passed, "checks passed")
