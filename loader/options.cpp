// SPDX-License-Identifier: Apache-2.0
#include "loader/options.h"

#include <getopt.h>

#include <cstdio>

#include "lib/base/text.h"
#include "loader/verbs.h"

namespace diglim {
namespace {

constexpr int kFirstLong = 256;  // beyond any character, so that a short option is never taken for a long one
constexpr size_t kMaxShown = 64;

// What getopt_long() refused. `letter` is what it returned.
std::string describe_mistake(int letter, char** argv) {
  if (optopt > 0 && optopt < kFirstLong)
    return "unknown option -" + escape(std::string(1, static_cast<char>(optopt)));
  const std::string_view word = argv[optind - 1];
  const std::string name = escape(word.substr(0, word.find('=')), kMaxShown);
  if (letter == ':') return name + " needs a value";
  return (optopt == 0 ? "unknown option " : "no value expected for ") + name;
}

}  // namespace

int usage_error(std::string_view verb, std::string_view message) {
  (void)fprintf(stderr, "diglim-loader %.*s: %.*s; try --help\n", static_cast<int>(verb.size()), verb.data(),
                static_cast<int>(message.size()), message.data());
  return kExitUsage;
}

CommandLine parse_command_line(int argc, char** argv, const VerbUsage& usage) {
  std::vector<option> known;
  for (const OptionSpec& spec : usage.options) {
    known.push_back({spec.name, spec.takes_value ? required_argument : no_argument, nullptr,
                     kFirstLong + static_cast<int>(known.size())});
  }
  known.push_back({"help", no_argument, nullptr, 'h'});
  known.push_back({nullptr, 0, nullptr, 0});

  CommandLine line;
  optind = 0;  // glibc: start anew, argv is not main's
  opterr = 0;  // the one message is ours
  for (int letter = 0; (letter = getopt_long(argc, argv, ":h", known.data(), nullptr)) != -1;) {
    if (letter == 'h') {
      line.exit = fputs(usage.help, stdout) >= 0 && fflush(stdout) == 0 ? kExitOk : kExitEnvironment;
      return line;
    }
    if (letter < kFirstLong) {
      line.exit = usage_error(argv[0], describe_mistake(letter, argv));
      return line;
    }
    line.options.emplace_back(known[static_cast<size_t>(letter - kFirstLong)].name,
                              optarg != nullptr ? optarg : "");
  }
  line.operands.assign(argv + optind, argv + argc);
  if (usage.operands != nullptr && line.operands.empty()) {
    line.exit = usage_error(argv[0], std::string("no ") + usage.operands + " given");
  } else if (usage.operands == nullptr && !line.operands.empty()) {
    line.exit = usage_error(argv[0], "unexpected \"" + escape(line.operands[0], kMaxShown) + "\"");
  }
  return line;
}

}  // namespace diglim
