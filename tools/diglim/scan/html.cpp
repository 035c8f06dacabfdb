// SPDX-License-Identifier: Apache-2.0
// One page that needs nothing else: no script, no font, no picture from elsewhere. The map is SVG, made here.
#include <fmt/format.h>

#include <algorithm>

#include "lib/base/text.h"
#include "tools/diglim/scan/report.h"

namespace diglim::scan {
namespace {

using known::Cause;

constexpr double kWidth = 960;
constexpr double kHeight = 260;
constexpr size_t kBoxes = 60;

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>diglim scan</title>
<style>
body { font: 15px/1.45 sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color: #1c1c1c; background: #fff }
h1 { font-size: 1.5em } h2 { font-size: 1.15em; margin-top: 2em }
table { border-collapse: collapse; width: 100% } td, th { text-align: left; padding: .25em .6em; border-bottom: 1px solid #ddd; vertical-align: top }
td { overflow-wrap: anywhere } td.n, th.n { text-align: right } code { font-size: .93em } .do { color: #444 } svg { width: 100%; height: auto }
summary { cursor: pointer; margin: .4em 0 }
</style>
</head>
<body>
)";

// Text from outside: first fit for one line, then for HTML.
std::string html(std::string_view text) {
  std::string out;
  for (const char c : escape(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

struct Box {
  double x, y, width, height;
};

// Halves what is left along its longer side, each time at the place that splits the counts best.
void place(const std::vector<Group>& groups, size_t begin, size_t end, Box box, std::vector<Box>& boxes) {
  if (end - begin == 1) {
    boxes[begin] = box;
    return;
  }
  size_t sum = 0;
  for (size_t i = begin; i < end; ++i) sum += groups[i].count;
  size_t half = groups[begin].count;
  size_t middle = begin + 1;
  while (middle + 1 < end && half + groups[middle].count <= sum / 2) half += groups[middle++].count;
  const double share = static_cast<double>(half) / static_cast<double>(sum);
  Box first = box;
  Box second = box;
  if (box.width >= box.height) {
    first.width = box.width * share;
    second.x += first.width;
    second.width -= first.width;
  } else {
    first.height = box.height * share;
    second.y += first.height;
    second.height -= first.height;
  }
  place(groups, begin, middle, first, boxes);
  place(groups, middle, end, second, boxes);
}

std::string tree_map(const Report& report) {
  std::vector<Group> groups = by_directory(report);
  if (groups.empty()) return "";
  if (groups.size() > kBoxes) groups.resize(kBoxes);
  std::vector<Box> boxes(groups.size());
  place(groups, 0, groups.size(), {0, 0, kWidth, kHeight}, boxes);
  std::string out = fmt::format(
      "<h2>Where they lie</h2>\n<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"files by directory\">\n",
      kWidth, kHeight);
  for (size_t i = 0; i < groups.size(); ++i) {
    const Box& box = boxes[i];
    out += fmt::format(
        "<g><title>{0}: {1}</title><rect x=\"{2:.1f}\" y=\"{3:.1f}\" width=\"{4:.1f}\" height=\"{5:.1f}\" "
        "fill=\"hsl({6},45%,82%)\" stroke=\"#fff\" stroke-width=\"2\"/>",
        html(groups[i].name), groups[i].count, box.x, box.y, box.width, box.height, i * 47 % 360);
    // About seven units a letter.
    if (box.height >= 18 && box.width >= 7.0 * static_cast<double>(groups[i].name.size()) + 10)
      out += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" font-size=\"12\">{}</text>", box.x + 5, box.y + 15,
                         html(groups[i].name));
    out += "</g>\n";
  }
  return out + "</svg>\n";
}

std::string cause_section(const Report& report, Cause cause) {
  const size_t count = count_of(report, cause);
  if (count == 0) return "";
  const known::CauseWords& words = known::cause_words(cause);
  std::string out = fmt::format("<h2>{} {}</h2>\n<p class=\"do\">To do: {}</p>\n", count, html(words.title),
                                html(words.next));
  if (cause == Cause::kFileSystem) {
    out += "<table><tr><th>Mounted at</th><th>Why</th></tr>\n";
    for (const RefusedMount& mount : report.refused)
      out +=
          fmt::format("<tr><td><code>{}</code></td><td>{}</td></tr>\n", html(mount.point), html(mount.why));
    return out + "</table>\n";
  }
  out += "<table><tr><th class=\"n\">Files</th><th>Package</th><th>Such as</th></tr>\n";
  for (const Group& one : by_package(report, cause))
    out += fmt::format("<tr><td class=\"n\">{}</td><td>{}</td><td><code>{}</code></td></tr>\n", one.count,
                       one.name.empty() ? "none" : html(one.name), html(one.first));
  out +=
      "</table>\n<details><summary>Each file</summary>\n<table><tr><th>File</th><th>Kind</th><th>Package</th>"
      "<th>Digest</th></tr>\n";
  for (const Item& item : report.denied) {
    if (item.cause != cause) continue;
    out += fmt::format("<tr><td><code>{}</code></td><td>{}</td><td>{}</td><td><code>{}</code></td></tr>\n",
                       html(item.path), kind_name(item.kind), html(item.package),
                       to_hex(as_bytes(item.digest)).substr(0, 16));
  }
  return out + "</table></details>\n";
}

}  // namespace

std::string to_html(const Report& report) {
  std::string out(kHead);
  out += fmt::format(
      "<h1>What DIGLIM would deny in {}</h1>\n<p>{} files can run, be mapped executable or be loaded: "
      "{} are known, <strong>{} would be denied</strong>.</p>\n",
      html(report.root), report.files, report.known,
      report.denied.size() - count_of(report, Cause::kUnreadable));
  if (!report.notes.empty()) {
    out += "<ul>\n";
    for (const std::string& note : report.notes) out += fmt::format("<li>{}</li>\n", html(note));
    out += "</ul>\n";
  }
  out += tree_map(report);
  for (size_t i = 1; i < known::kCauses; ++i) out += cause_section(report, static_cast<Cause>(i));
  if (!report.unreadable.empty()) {
    out += fmt::format("<h2>{} directories cannot be read</h2>\n<ul>\n", report.unreadable.size());
    for (const std::string& folder : report.unreadable) out += fmt::format("<li>{}</li>\n", html(folder));
    out += "</ul>\n";
  }
  return out + "</body>\n</html>\n";
}

}  // namespace diglim::scan
