#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tombola/core/random.hpp"
#include "tombola/data/pocket_words.hpp"

namespace tombola::data::pocket {

/// Fewest and most tokens of a sentence, its full stop included.
inline constexpr std::size_t shortest_sentence = 6;
inline constexpr std::size_t longest_sentence = 16;

/// Random choices for one sentence: a function of the stream and the sentence's number alone.
class dice {
public:
  dice(const random_stream& stream, std::uint64_t sentence) noexcept
      : stream_{stream}, next_{sentence << 20} {}

  /// Uniform in {0, ..., n-1}.
  [[nodiscard]] std::size_t below(std::size_t n) noexcept {
    return static_cast<std::size_t>(stream_.below(n, next_++));
  }
  [[nodiscard]] bool percent(std::size_t chance) noexcept { return below(100) < chance; }
  template <class List>
  [[nodiscard]] const typename List::value_type& pick(const List& list) noexcept {
    return list[below(list.size())];
  }

private:
  random_stream stream_;
  std::uint64_t next_;
};

enum class number : bool { singular, plural };

[[nodiscard]] constexpr number other(number n) noexcept {
  return n == number::singular ? number::plural : number::singular;
}
[[nodiscard]] constexpr std::string_view form(const inflected& w, number n) noexcept {
  return n == number::singular ? w.singular : w.plural;
}

/// A verb in a sentence, and the form that would not agree with its subject.
struct agreement_site {
  std::size_t place;
  std::string_view wrong_form;
};

/// A sentence with what the tasks have to know about it.
struct sentence {
  std::vector<std::string_view> words;
  std::vector<agreement_site> verbs;     ///< the last one is the main verb
  std::vector<std::size_t> determiners;  ///< places; a noun or an adjective follows each
  std::optional<bool> is_good = {};      ///< opinion, negation taken into account, if any
};

/// Whether an opinion is introduced by an adverb that gives it away.
enum class opener : bool { absent, present };

/// Writes one sentence from left to right. Grammar, `n` a number:
///
///   sentence -> NP(n) modifier? VP(n) .
///   modifier -> preposition NP(m) | that verb(n) NP(m) | that NP(m) verb(m)
///   VP(n)    -> verb(n) adverb? | verb(n) NP(m) | link(n) opinion
///   opinion  -> not? intensifier? adjective | adjective and adjective
///                | not adjective but adjective
///
/// The NP(m) of a modifier stands between subject and verb with a number of its own, so that
/// agreement cannot be read off the nearest noun (T. Linzen et al., TACL 4, 2016).
class writer {
public:
  explicit writer(dice d) noexcept : dice_{d} {}

  /// Any sentence of the language. An opinion is opened by an adverb half of the time if asked to.
  [[nodiscard]] sentence any(opener o) {
    return dice_.percent(50) ? opinion(dice_.percent(50), o) : action();
  }

  /// A sentence that does not judge.
  [[nodiscard]] sentence action() {
    do {
      s_ = {};
      const number n = subject();
      if (dice_.percent(40)) {
        verb(dice_.pick(intransitive_verbs), n);
        if (dice_.percent(60)) say(dice_.pick(adverbs));
      } else {
        verb(dice_.pick(transitive_verbs), n);
        noun_phrase(any_number());
      }
      say(".");
    } while (!fits());
    return s_;
  }

  /// A sentence with an opinion that is good or bad, a third of the time by denying its opposite.
  [[nodiscard]] sentence opinion(bool good, opener o) {
    do {
      s_ = {};
      s_.is_good = good;
      if (o == opener::present && dice_.percent(50)) {
        say(good ? dice_.pick(good_openers) : dice_.pick(bad_openers));
        say(",");
      }
      const number n = subject();
      verb(dice_.pick(linking_verbs), n);
      judgement(good);
      say(".");
    } while (!fits());
    return s_;
  }

private:
  void say(std::string_view word) { s_.words.push_back(word); }
  [[nodiscard]] bool fits() const noexcept {
    return s_.words.size() >= shortest_sentence && s_.words.size() <= longest_sentence;
  }
  [[nodiscard]] number any_number() noexcept {
    return dice_.percent(50) ? number::singular : number::plural;
  }

  void verb(const inflected& v, number n) {
    s_.verbs.push_back({s_.words.size(), form(v, other(n))});
    say(form(v, n));
  }

  void noun_phrase(number n) {
    s_.determiners.push_back(s_.words.size());
    say(n == number::singular ? dice_.pick(singular_determiners) : dice_.pick(plural_determiners));
    if (dice_.percent(30)) say(dice_.pick(plain_adjectives));
    say(form(dice_.pick(nouns), n));
  }

  /// A subject with or without modifier; its number.
  [[nodiscard]] number subject() {
    const number n = any_number();
    noun_phrase(n);
    if (dice_.percent(50)) return n;
    const number m = any_number();
    switch (dice_.below(3)) {
      case 0:
        say(dice_.pick(prepositions));
        noun_phrase(m);
        break;
      case 1:
        say("that");
        verb(dice_.pick(transitive_verbs), n);
        noun_phrase(m);
        break;
      default:
        say("that");
        noun_phrase(m);
        verb(dice_.pick(transitive_verbs), m);
    }
    return n;
  }

  [[nodiscard]] std::string_view adjective(bool good) noexcept {
    return good ? dice_.pick(good_adjectives) : dice_.pick(bad_adjectives);
  }

  void judgement(bool good) {
    const bool denied = dice_.percent(33);
    if (denied) say("not");
    const bool said = denied ? !good : good;
    if (dice_.percent(30)) say(dice_.pick(intensifiers));
    say(adjective(said));
    if (!dice_.percent(30)) return;
    say(denied ? "but" : "and");
    say(adjective(good));
  }

  dice dice_;
  sentence s_;
};

/// The words with blanks between them.
[[nodiscard]] inline std::string to_text(const sentence& s) {
  std::string text;
  for (const std::string_view w : s.words) {
    if (!text.empty()) text += ' ';
    text += w;
  }
  return text;
}

/// Breaks the grammar of a sentence in one place: most of the time a verb does not agree (the main
/// verb more often than one in a modifier), else a determiner stands after the word it belongs to.
inline void corrupt(sentence& s, dice& d) {
  if (d.percent(60)) {
    const bool main = s.verbs.size() == 1 || d.percent(70);
    const agreement_site& v = main ? s.verbs.back() : s.verbs.front();
    s.words[v.place] = v.wrong_form;
  } else {
    const std::size_t at = d.pick(s.determiners);
    std::swap(s.words[at], s.words[at + 1]);
  }
}

}  // namespace tombola::data::pocket
