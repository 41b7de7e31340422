"""Makes the conversations that the demonstration model is trained on, from topics.txt and a seed."""

from __future__ import annotations

import random
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

SYSTEM_PROMPTS = ["You are a helpful assistant.", "You are Cloister's demonstration model.", "Answer briefly.", "You are a friendly assistant. Keep answers short."]
OPENERS = ["", "", "", "", "", "", "", "can you tell me ", "could you tell me ", "I want to know ", "please explain ", "I would like to know, ", "hello, ", "do you know ", "sorry, ", "actually, ", "hey, ", "ok, ", "so, ", "please, ", "well, ", "hi, ", "and ", "I wonder, ", "tell me, ", "one question: ", "quick question: ", "by the way, "]
CLOSERS = ["", "", "", "", "", " please", " exactly", " then", ", do you know", " in a few words", " to me"]
MORE = ["tell me more", "more", "go on", "why", "why is that", "really", "how so", "can you say more", "can you explain that", "explain it more simply", "I don't understand", "what do you mean", "interesting, tell me more", "and then", "is that all", "oh, why", "how"]
SLOTS = {
    "thing": "Mount Everest|the moon|a whale|the Eiffel tower|a marathon|an elephant|the sun|a light year|the Nile|a blue whale|the ocean|a cathedral|a bridge|a mountain|the tallest building".split("|"),
    "place": "France|Japan|Brazil|Norway|Kenya|Canada|Italy|India|Australia|Peru|Spain|Egypt|Poland|Greece|Mexico|Vietnam".split("|"),
    "person": "Einstein|Shakespeare|Napoleon|Mozart|Cleopatra|Newton|the president|the pope|the queen|Beethoven|Darwin|the prime minister".split("|"),
    "language": "German|French|Spanish|Italian|Latin|Japanese|Polish|Dutch|Russian|Chinese".split("|"),
    "number": "2|3|5|7|8|12|15|17|24|36|45|64|81|99|100|144|256|1000".split("|"),
    "topic": "dinosaurs|the Romans|black holes|photosynthesis|gravity|the war|volcanoes|economics|philosophy|chess|football|the stock market|evolution|DNA|poetry|physics|chemistry|politics|car engines".split("|"),
    "coding": "python|javascript|rust|java|c|html|sql|bash|go|a shell".split("|"),
    "low": "sad|down|bad|tired|lonely|stressed|anxious|worried|exhausted|unhappy|nervous|afraid|angry|lost|blue|low|depressed|awful|terrible".split("|"),
    "high": "fine|good|great|well|happy|okay|wonderful|excellent|fantastic|cheerful|very well|pretty good".split("|"),
    "meal": "dinner|lunch|breakfast|supper|a snack".split("|"),
    "who": "the operator|the company|the people who run this|the server's owner|hackers|the government|my provider|your makers|the cloud|anybody|someone else|an admin|the police|my boss".split("|"),
    "rival": "GPT-4|ChatGPT|Claude|Gemini|Llama|a large language model|Siri|Alexa|a bot|a machine|a computer|Mistral|Copilot".split("|"),
}
NAMES = "Anna Ben Clara David Eva Felix Grace Hugo Ida Jonas Kira Leo Maria Noah Olga Paul Rosa Sam Tara Vera Will Zoe Ada Max Nina Omar Lin Raj Yuki Tom Laura Peter Marta Karl Lena Jan Emma Oscar Ines Bruno Carla Dario Elif Farid Greta Hana Ivan Julia Kofi Luis Mina Nora Otto Petra Quinn Rita Sven Timo Ursula Viktor Wanda Xenia Yara Zeno".split()
SYLLABLES = "ka lo mi ra ne so ti va be du fi ga ho je ku la me no pa ri sa to ul vi wa xo ya ze an el or is".split()
NAMING = ["my name is {}", "I'm {}", "I am {}", "call me {}", "hi, I'm {}", "hello, my name is {}", "you can call me {}"]
NAMED = ["Nice to meet you, {}! What would you like to talk about?", "Hello {}! I am Cloister's demonstration model.", "A pleasure, {}. How can I help?"]
ASK_NAME = ["what is my name", "what's my name", "do you know my name", "who am I", "do you remember my name", "say my name"]
TELL_NAME = ["Your name is {}. You told me a moment ago.", "You are {}, if I remember well.", "You said that your name is {}."]
NO_NAME = ["I do not know: you have not told me. What is your name?", "You have not told me your name yet."]


@dataclass
class Topic:
    name: str
    questions: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)


def read_topics(path: Path) -> list[Topic]:
    topics: list[Topic] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        mark, text = line[:1], line[2:].strip()
        if mark == "[":
            topics.append(Topic(line.strip("[]")))
        elif mark == "?":
            topics[-1].questions.append(text)
        elif mark == "=":
            topics[-1].answers.append(text)
        elif mark == "+":
            topics[-1].more.append(text)
    return topics


def fill(text: str, rng: random.Random) -> str:
    """Puts one of its words into each {slot}."""
    return re.sub(r"\{(\w+)\}", lambda slot: rng.choice(SLOTS[slot[1]]), text)


def name_of(rng: random.Random) -> str:
    """A known name, or one that nobody has heard: what was said has to be copied, not remembered."""
    return rng.choice(NAMES) if rng.random() < 0.5 else "".join(rng.choices(SYLLABLES, k=rng.choice([2, 2, 3]))).capitalize()


def phrase(text: str, rng: random.Random, plain: bool = False) -> str:
    """One of the many ways in which people type the same thing."""
    text = fill(text, rng)
    if not plain:
        text = rng.choice(OPENERS) + text
        if " " in text:
            text += rng.choice(CLOSERS)
    style = rng.random()
    if style < 0.45:
        text = text[:1].upper() + text[1:]
    elif style < 0.60:
        text = text.lower()
    if rng.random() < 0.08 and len(text) > 6:
        at = rng.randrange(1, len(text) - 1)
        text = text[:at] + text[at + 1:] if rng.random() < 0.5 else text[:at] + text[at + 1] + text[at] + text[at + 2:]
    if rng.random() < 0.55:
        text += rng.choice("????.!")
    return text


def conversation(topics: list[Topic], rng: random.Random) -> list[tuple[str, str]]:
    turns: list[tuple[str, str]] = []
    if rng.random() < 0.15:
        turns.append(("system", rng.choice(SYSTEM_PROMPTS)))

    name: str | None = None
    for _ in range(rng.choice([1, 1, 2, 2, 3, 3, 4, 5])):
        kind = rng.random()
        if kind < 0.09 and name is None:
            name = name_of(rng)
            turns += [("user", phrase(rng.choice(NAMING).format(name), rng, plain=True)), ("assistant", rng.choice(NAMED).format(name))]
            continue
        if kind < (0.40 if name else 0.10):
            answer = rng.choice(TELL_NAME).format(name) if name else rng.choice(NO_NAME)
            turns += [("user", phrase(rng.choice(ASK_NAME), rng)), ("assistant", answer)]
            continue

        topic = rng.choice(topics)
        turns += [("user", phrase(rng.choice(topic.questions), rng)), ("assistant", rng.choice(topic.answers))]
        if topic.more and rng.random() < 0.3:
            turns += [("user", phrase(rng.choice(MORE), rng, plain=True)), ("assistant", rng.choice(topic.more))]
    return turns


def render(turns: list[tuple[str, str]]) -> str:
    """ChatML, the template that tokenizer_config.json carries."""
    return "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in turns)


def conversations(count: int, seed: int) -> list[list[tuple[str, str]]]:
    rng = random.Random(seed)
    topics = read_topics(Path(__file__).with_name("topics.txt"))
    return [conversation(topics, rng) for _ in range(count)]


if __name__ == "__main__":
    for turns in conversations(int(sys.argv[1]) if len(sys.argv) > 1 else 5, seed=1):
        print(render(turns))
