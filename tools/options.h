// SPDX-License-Identifier: Apache-2.0
// Options of a command line. CLI11 does the work, in options.cpp alone: its headers cost several seconds in
// each source.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace diglim {

// One option of an OptionParser, which owns it.
class Option {
 public:
  Option required() const;
  Option excludes(const Option& other) const;
  Option needs(const Option& other) const;
  // Of a list: each use takes one value, so that an argument after it is not taken for another.
  Option one_value_each() const;
  Option one_of(std::initializer_list<const char*> values) const;

 private:
  friend class OptionParser;
  explicit Option(CLI::Option* option) : option_(option) {}
  CLI::Option* option_;
};

// A command, or one of its subcommands. Values that are bound must outlive it.
class OptionParser {
 public:
  OptionParser(const std::string& description, const std::string& name);
  ~OptionParser();
  OptionParser(const OptionParser&) = delete;
  OptionParser& operator=(const OptionParser&) = delete;

  // `names`: "-o,--output", or "NAME" for an operand. `help`: one line.
  Option add_option(const std::string& names, std::string& value, const std::string& help);
  Option add_option(const std::string& names, std::vector<std::string>& values, const std::string& help);
  Option add_option(const std::string& names, std::optional<std::string>& value, const std::string& help);
  Option add_option(const std::string& names, unsigned& value, const std::string& help);
  Option add_option(const std::string& names, std::optional<unsigned>& value, const std::string& help);
  Option add_option(const std::string& names, std::optional<uint64_t>& value, const std::string& help);
  Option add_flag(const std::string& names, bool& value, const std::string& help);
  // Lives as long as this.
  OptionParser* add_subcommand(const std::string& name, const std::string& help);
  // One of the subcommands has to be given.
  void require_subcommand();
  // The same, and --help is about all of them.
  void describe_subcommands();

  const std::string& name() const;
  bool parsed() const;  // was this subcommand given?

  // On failure, --help and --version prints and gives the exit status, otherwise nothing.
  std::optional<int> parse(int argc, char** argv);

 private:
  explicit OptionParser(CLI::App* app);

  std::unique_ptr<CLI::App> own_;  // none: a subcommand, which its parent owns
  CLI::App* app_;
  std::vector<std::unique_ptr<OptionParser>> subcommands_;
};

}  // namespace diglim
