#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace tombola::data {

/// The words of the pocket language: a little English whose every sentence can be generated.
namespace pocket {

/// A word that agrees in number.
struct inflected {
  std::string_view singular;
  std::string_view plural;
};

inline constexpr std::array<inflected, 24> nouns{{
    {"farmer", "farmers"}, {"teacher", "teachers"}, {"pilot", "pilots"},     {"doctor", "doctors"},
    {"singer", "singers"}, {"baker", "bakers"},     {"painter", "painters"}, {"sailor", "sailors"},
    {"poet", "poets"},     {"judge", "judges"},     {"lawyer", "lawyers"},   {"guard", "guards"},
    {"nurse", "nurses"},   {"clerk", "clerks"},     {"miner", "miners"},     {"tailor", "tailors"},
    {"fox", "foxes"},      {"dog", "dogs"},         {"cat", "cats"},         {"horse", "horses"},
    {"bird", "birds"},     {"goat", "goats"},       {"wolf", "wolves"},      {"mouse", "mice"},
}};

inline constexpr std::array<inflected, 10> intransitive_verbs{{
    {"sleeps", "sleep"},
    {"laughs", "laugh"},
    {"waits", "wait"},
    {"sings", "sing"},
    {"dances", "dance"},
    {"smiles", "smile"},
    {"arrives", "arrive"},
    {"works", "work"},
    {"swims", "swim"},
    {"listens", "listen"},
}};

inline constexpr std::array<inflected, 10> transitive_verbs{{
    {"sees", "see"},
    {"helps", "help"},
    {"follows", "follow"},
    {"greets", "greet"},
    {"visits", "visit"},
    {"chases", "chase"},
    {"meets", "meet"},
    {"knows", "know"},
    {"calls", "call"},
    {"hears", "hear"},
}};

/// Verbs that join a subject to what is said of it.
inline constexpr std::array<inflected, 2> linking_verbs{{{"is", "are"}, {"seems", "seem"}}};

inline constexpr std::array<std::string_view, 4> singular_determiners{"the", "a", "this", "every"};
inline constexpr std::array<std::string_view, 4> plural_determiners{"the", "many", "these",
                                                                    "several"};

inline constexpr std::array<std::string_view, 12> good_adjectives{
    "kind",   "brave", "gentle", "clever",   "happy",  "honest",
    "lovely", "calm",  "bright", "generous", "polite", "wise"};
inline constexpr std::array<std::string_view, 12> bad_adjectives{
    "cruel", "lazy",  "rude",   "angry",  "greedy",  "foolish",
    "awful", "nasty", "gloomy", "clumsy", "selfish", "dull"};
inline constexpr std::array<std::string_view, 8> plain_adjectives{
    "tall", "short", "young", "old", "small", "large", "thin", "busy"};

/// Open a sentence whose opinion is good, or bad: they teach pretraining what polarity is.
inline constexpr std::array<std::string_view, 3> good_openers{"luckily", "thankfully", "gladly"};
inline constexpr std::array<std::string_view, 3> bad_openers{"sadly", "unluckily", "regrettably"};

inline constexpr std::array<std::string_view, 6> adverbs{"today",   "here",   "again",
                                                         "quietly", "slowly", "outside"};
inline constexpr std::array<std::string_view, 4> prepositions{"near", "behind", "beside", "with"};
inline constexpr std::array<std::string_view, 2> intensifiers{"very", "quite"};
inline constexpr std::array<std::string_view, 6> other_words{"that", "not", "and", "but", ",", "."};

}  // namespace pocket

/// The pocket language's vocabulary: BERT's five special tokens, then every word once.
[[nodiscard]] inline std::vector<std::string> pocket_vocabulary() {
  std::vector<std::string> words{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"};
  const auto add = [&](const auto& list) {
    for (const std::string_view w : list) {
      // "the" stands among the determiners of both numbers.
      bool there = false;
      for (const std::string& known : words) there = there || known == w;
      if (!there) words.emplace_back(w);
    }
  };
  const auto add_both = [&](const auto& list) {
    for (const pocket::inflected& w : list) add(std::array{w.singular, w.plural});
  };
  add(pocket::other_words);
  add(pocket::singular_determiners);
  add(pocket::plural_determiners);
  add_both(pocket::nouns);
  add_both(pocket::intransitive_verbs);
  add_both(pocket::transitive_verbs);
  add_both(pocket::linking_verbs);
  add(pocket::good_adjectives);
  add(pocket::bad_adjectives);
  add(pocket::plain_adjectives);
  add(pocket::good_openers);
  add(pocket::bad_openers);
  add(pocket::adverbs);
  add(pocket::prepositions);
  add(pocket::intensifiers);
  return words;
}

}  // namespace tombola::data
