#pragma once

#include <string>
#include <string_view>

#include "tombola/analysis/markup.hpp"

namespace tombola::analysis::detail {

/// The style of a report: light, dark, paper and a phone's width, nothing fetched.
///
/// Blue and orange are the only two colours that carry meaning, and never alone: every mark differs
/// in shape or word too.
inline constexpr std::string_view page_style = R"(
:root{color-scheme:light dark;--page:#fafaf7;--card:#fff;--ink:#1b1f23;--quiet:#59616a;
--line:#dcdfda;--first:#0b5fa5;--second:#b84a00;--first-pale:#dcebf8;--second-pale:#fbe6d6;--bar:1}
@media(prefers-color-scheme:dark){:root{--page:#121518;--card:#1a1e22;--ink:#e7e9eb;--quiet:#a2abb3;
--line:#343b42;--first:#74b8f2;--second:#f3a464;--first-pale:#16324a;--second-pale:#472a12;--bar:.62}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.55 system-ui,sans-serif;
overflow-wrap:anywhere}
main,header,nav{max-width:1160px;margin:0 auto;padding:0 20px}
header{padding-top:36px}
h1{font-size:1.9rem;line-height:1.2;margin:0 0 8px;letter-spacing:-.01em}
h2{font-size:1.35rem;margin:0 0 8px}
h3{font-size:1.05rem;margin:22px 0 6px}
p{margin:6px 0 10px;max-width:76ch}
.lead{color:var(--quiet);font-size:1.05rem}
.note{color:var(--quiet);font-size:.88rem}
nav ul{list-style:none;display:flex;flex-wrap:wrap;gap:6px 18px;padding:0;margin:14px 0 0}
nav details{margin:0}nav details ul{margin:6px 0 8px 16px}
a{color:var(--first)}
section{background:var(--card);border:1px solid var(--line);border-radius:10px;
padding:20px 22px;margin:20px 0}
.scroll{overflow-x:auto;max-width:100%;margin:8px 0}
.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,var(--wide,480px)),1fr));
gap:14px 26px;align-items:start}
figure{margin:10px 0;min-width:0}
figcaption{font-weight:600;margin-bottom:4px}
figcaption span{font-weight:400;color:var(--quiet)}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;min-width:50%}
caption{text-align:left;font-weight:600;padding:4px 0 6px}
th,td{padding:5px 16px 5px 0;text-align:left;border-bottom:1px solid var(--line);
vertical-align:top;max-width:44ch;overflow-wrap:normal}
th{font-weight:600;color:var(--quiet);vertical-align:bottom;line-height:1.25}
.number{text-align:right}
td.number,td.short{white-space:nowrap}
td.long{min-width:24ch;overflow-wrap:anywhere}
ul.verdicts{list-style:none;margin:4px 0 10px;padding:0}
ul.verdicts li{display:grid;grid-template-columns:8.6em 1fr;gap:2px 12px;padding:7px 0;
border-bottom:1px solid var(--line)}
.claim::first-letter{text-transform:uppercase}
.claim{display:inline-block;font-weight:600}
ul.verdicts small{color:var(--quiet);font-size:.9rem;grid-column:2}
.badge{font-size:.78rem;font-weight:600;border-radius:99px;padding:1px 10px;text-align:center;
align-self:start;margin-top:2px;border:1px solid var(--quiet)}
.yes{background:var(--first-pale);border-color:var(--first);color:var(--first)}
.no{background:var(--second-pale);border-color:var(--second);color:var(--second)}
.part{border-style:dashed}
details{margin:8px 0}
summary{cursor:pointer;color:var(--first)}
pre{font-size:.78rem;white-space:pre-wrap;background:var(--page);padding:10px;border-radius:6px}
svg{display:block}
svg text{font:11px system-ui,sans-serif;fill:var(--ink)}
svg .cell text{fill:inherit;text-anchor:middle}
svg .large text{font-size:13px}
svg .v{font-size:12px}
svg .d{font-size:9px}
svg .middle{text-anchor:middle}
svg .end{text-anchor:end}
svg .axis,svg .phase{fill:var(--quiet)}
svg .rule{stroke:var(--line)}
svg .edge{stroke:var(--quiet);stroke-dasharray:2 3}
svg .first circle{fill:var(--card);stroke:var(--first);stroke-width:2}
svg .second circle{fill:var(--second);stroke:var(--card)}
svg .first path,svg .second path{fill:none;stroke:var(--first);stroke-width:2.4}
svg .second path{stroke:var(--second)}
svg .whisker{stroke-width:2;stroke:var(--first)}
svg .mean{fill:var(--first)}
svg .second .whisker{stroke:var(--second)}
svg .second .mean{fill:var(--second)}
svg .s0,svg .s2{--series:var(--first)}
svg .s1,svg .s3{--series:var(--second)}
svg .bar{fill:var(--series);fill-opacity:var(--bar);stroke:var(--series)}
svg .s2 .bar,svg .s3 .bar{fill:var(--card);stroke-width:1.6}
svg .interval{stroke:var(--ink);stroke-width:1.2}
svg .line{fill:none;stroke:var(--series);stroke-width:2}
svg .s2 .line,svg .s3 .line{stroke-dasharray:6 3}
svg .band{fill:var(--series);opacity:.14}
svg .reference line,svg .baseline line{stroke:var(--quiet);stroke-dasharray:5 4}
svg .guard line{stroke:var(--second);stroke-width:2}
svg .guard text{fill:var(--second);font-weight:600}
svg .trace{fill:none;stroke:var(--quiet);stroke-width:1.2}
svg .accepted circle{fill:var(--first)}
svg .rejected path{fill:none;stroke:var(--second);stroke-width:2.4}
@media(max-width:620px){main,header,nav{padding:0 12px}header{padding-top:20px}
section{padding:14px 12px;border-radius:8px}h1{font-size:1.5rem}
ul.verdicts li{grid-template-columns:1fr}.claim::first-letter{text-transform:uppercase}
.claim{display:inline-block;font-weight:600}
ul.verdicts small{grid-column:1}.badge{justify-self:start}}
@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--ink:#000;--quiet:#444;--line:#bbb;
--first:#0b5fa5;--second:#b84a00;--first-pale:#fff;--second-pale:#fff;--bar:1}
body{font-size:10pt}nav{display:none}section{border:0;padding:0}figure,tr,li{break-inside:avoid}
h2,h3{break-after:avoid}.scroll{overflow:visible}svg{min-width:0!important}
table{font-size:7.5pt}th,td{padding-right:6px}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)";

/// A figure under its caption, in a frame that scrolls where the page is narrow. `drawing` is what
/// draw() gave; the caption is anybody's text.
[[nodiscard]] inline std::string framed(const std::string& caption,
                                        const std::string& aside,
                                        const std::string& drawing) {
  markup m;
  m.open("figure").open("figcaption").text(caption);
  if (!aside.empty()) m.text(" ").leaf("span", aside);
  m.close().open("div", {{"class", "scroll"}, {"tabindex", "0"}}).raw(drawing).close();
  m.close().line();
  return m.str();
}

}  // namespace tombola::analysis::detail
