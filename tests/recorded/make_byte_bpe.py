"""Records byte-level BPE: make_byte_bpe.py writes byte_bpe/ beside itself.

A small vocabulary is trained with `tokenizers` on generated text, and strings are encoded with the tokenizer that
`transformers` has for RoBERTa. Strings that are no UTF-8 cannot be handed to it: they go through the same algorithm written
down here, which is first held against `transformers` on every string that both take.

Made with Python 3.11, transformers 5.24, tokenizers 0.23, regex 2026.11."""

import json
import pathlib
import random

import regex
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, trainers
from transformers import RobertaTokenizer

here = pathlib.Path(__file__).resolve().parent / "byte_bpe"
here.mkdir(exist_ok=True)
draw = random.Random(7)

specials = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
words = ("the a an old young red green cat cats dog dogs house houses river sees saw likes liked sleeps slept near under and "
         "but don't won't it's they're we've I'll he'd running runner unhappiness Zürich café naïve größer 中文 中国 привет мир "
         "αβγ 12 1984 3.14 10% (maybe) \"yes\" e.g. ... !? — €5 🙂 🙂🙂").split()


def sentence():
    text = " ".join(draw.choice(words) for _ in range(draw.randint(1, 14)))
    return draw.choice([text, text.capitalize(), text + ".", " " + text, text.upper(), text + "\n", text.replace(" ", "  ", 1)])


corpus = [sentence() for _ in range(4000)]
trained = Tokenizer(models.BPE())
trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
trained.train_from_iterator(corpus, trainers.BpeTrainer(
    vocab_size=480, special_tokens=specials, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
model = json.loads(trained.to_str())["model"]
vocab, merges = model["vocab"], [tuple(m) for m in model["merges"]]
(here / "vocab.json").write_text(json.dumps(vocab) + "\n")
(here / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")

tokenizer = RobertaTokenizer(vocab=vocab, merges=merges, mask_token=AddedToken("<mask>", lstrip=True, special=True))
assert len(tokenizer) == len(vocab)

# ---- the algorithm once more, over bytes ----

visible = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b <= 255]
others = [b for b in range(256) if b not in visible]
character = {b: chr(b) for b in visible} | {b: chr(256 + i) for i, b in enumerate(others)}
pattern = regex.compile(r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")
rank = {pair: i for i, pair in enumerate(merges)}


def ordinary(text):
    ids = []
    for word in pattern.findall(text):
        pieces = [character[b] for b in word.encode("utf-8", "surrogateescape")]
        while True:
            best = min(range(len(pieces) - 1), key=lambda i: rank.get((pieces[i], pieces[i + 1]), 1 << 30), default=None)
            if best is None or (pieces[best], pieces[best + 1]) not in rank:
                break
            pieces[best : best + 2] = [pieces[best] + pieces[best + 1]]
        ids += [vocab[p] for p in pieces]
    return ids


def encode(raw):
    text = raw.decode("utf-8", "surrogateescape")
    ids = []
    while text:
        found = [(text.find(s), s) for s in specials if s in text]
        if not found:
            return ids + ordinary(text)
        at, special = min(found)
        before = text[:at]
        ids += ordinary(regex.sub(r"\s+$", "", before) if special == "<mask>" else before) + [vocab[special]]
        text = text[at + len(special) :]
    return ids


# ---- strings ----

texts = [
    "", " ", "  ", "   ", "\n", "\t\t", " \n ", "a", " a", "a ", "  a", "a  b", "a   b  ", "\na", "\n\na", " \na", "a\n\n\nb", "\t a",
    "Hello world", "The cat's dogs don't like it's they're we've I'll he'd I'm", "'S 'T IT'S DON'T", "'s's's", "''s", "' s", " 's",
    "can't.won't", "'llama", "'revenge", "x'd'y", "12 345 6.7e8", "a1b2 c3", "1st 2nd", "½ Ⅷ ٣ ² ①", "x²y", "١٢٣ ४५", "!!! ?? ...", " !a",
    "$5.00 €5", "foo_bar-baz/qux", "\"quoted\" (text)", "#version: 0.2", "# #", "C++20", "naïve café Zürich größer", "cafe\u0301 e\u0301\u0323",
    "中文 中国", "日本語テキスト", "한국어", "привет мир", "αβγ", "שלום עולם", "नमस्ते दुनिया", "ไทย", "🙂", "🙂🙂 👩‍👩‍👧 🏳️‍🌈", "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𝟙𝟚", "ǅ ʰ ª º",
    "a\u00a0b", "\u00a0a", "a\u00a0 b", "a\u0085b", "a\u1680b", "a\u2003\u2003b", "a\u2028b\u2029c", "a\u202fb", "a\u205fb", "a\u3000b", "\u3000\u3000",
    "a\u200bb", "a\u180eb", "\ufeffa", "a\u2060b", "a\u00adb", "\ufffd\ufffd", "\ue000", "\U000f0000", "\U0010ffff", "\ufdd0\uffff", "\u0378",
    "\x00", "a\x00b", "\x01\x1f\x7f", "\x0b\x0c\r\n", "a\r\nb", "\x1c\x1d\x1e\x1f a", "\x80".encode("latin-1").decode("latin-1"), "\x9f\xa0\xad",
    "<s>", "</s>", "<pad>", "<unk>", "<mask>", "a<mask>b", "a <mask> b", "a   <mask>  b", "\n\t<mask>", " <mask> <mask>", "a </s> b", "a </s></s> b",
    "<s> a </s>", "<", "<<", "<m", "<mask", "<mask >", "<<mask>>", "<MASK>", "<s", "</s", "<<s>>", "< s>", "a<", "<pad><pad>", "a\u3000<mask>",
    "a\u200b<mask>", "a" * 50, "ab" * 40, "the" * 30, " " * 40 + "x", "x" + " " * 40, "=" * 33, "\n" * 20 + "x", "é" * 21, "houses" * 9, "🙂" * 12,
]
alphabet = list("aabcdeehstu TCS ''  \n\t019.,!<>-") + ["é", "ß", "中", "п", "½", "٣", "\u0301", "\u00a0", "\u3000", "\u200b", "🙂", "'s", "'ll", "<mask>", "</s>", " the"]
texts += ["".join(draw.choice(alphabet) for _ in range(draw.randint(1, 30))) for _ in range(250)]
texts += [sentence() for _ in range(80)]
texts = list(dict.fromkeys(texts))

hostile = [
    b"\x80", b"\xff", b"a\xffb", b"\xff\xfe\xfd", b" \xff", b"\xff ", b"\xe2\x82", b"\xe2\x82 a", b"a\xe2", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80",
    b"\xed\xa0\x80", b"\xed\xa0\x80\xed\xb0\x80", b"\xf4\x90\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xf0\x9f\x98", b"\xf0\x9f\x98the", b"the\xbf\xbfcat",
    b"\xc3'\xa9", b"'\xffs", b"it\xff's", b"\xff<mask>", b" \xc2<mask>", b"\xc2 <mask>", b"<ma\xffsk>", b"1\xb21", b"\xe3\x80<mask>", b"\n\xc2\n\nx",
]
hostile += [bytes(draw.choice(list(range(256)) + [32, 97, 101, 116, 10, 39]) for _ in range(draw.randint(1, 24))) for _ in range(120)]


def is_text(raw):
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


hostile = [raw for raw in dict.fromkeys(hostile) if not is_text(raw)]
recorded = {"made_with": "transformers, RobertaTokenizer", "texts": [], "hostile": [], "pairs": [], "cut": []}
for text in texts:
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    assert encode(text.encode()) == ids, (text, ids, encode(text.encode()))
    recorded["texts"].append({"text": text, "ids": ids})
for raw in hostile:
    recorded["hostile"].append({"hex": raw.hex(), "ids": encode(raw)})
for _ in range(30):
    a, b = sentence(), draw.choice([sentence(), draw.choice(texts)])
    recorded["pairs"].append({"a": a, "b": b, "ids": tokenizer(a, b)["input_ids"]})
for n in (4, 5, 8, 13, 20, 64):
    a = sentence()
    recorded["cut"].append({"a": a, "max_length": n, "ids": tokenizer(a, truncation=True, max_length=n)["input_ids"]})
lines = [f' "{key}": ' + ("[\n" + ",\n".join("  " + json.dumps(e) for e in value) + "\n ]" if isinstance(value, list) else json.dumps(value))
         for key, value in recorded.items()]
(here / "strings.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
print(len(vocab), "pieces,", len(merges), "merges,", len(recorded["texts"]), "texts,", len(hostile), "that are none")
