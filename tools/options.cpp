// SPDX-License-Identifier: Apache-2.0
#include "tools/options.h"

#include <CLI/CLI.hpp>

#include "lib/base/exit_status.h"
#include "lib/base/text.h"
#include "tools/tool.h"

namespace diglim {

Option Option::required() const {
  option_->required();
  return *this;
}

Option Option::excludes(const Option& other) const {
  option_->excludes(other.option_);
  return *this;
}
Option Option::needs(const Option& other) const {
  option_->needs(other.option_);
  return *this;
}

Option Option::one_value_each() const {
  option_->allow_extra_args(false);
  return *this;
}

Option Option::one_of(std::initializer_list<const char*> values) const {
  option_->check(CLI::IsMember(std::vector<std::string>(values.begin(), values.end())));
  return *this;
}

OptionParser::OptionParser(const std::string& description, const std::string& name)
    : own_(std::make_unique<CLI::App>(description, name)), app_(own_.get()) {}

OptionParser::OptionParser(CLI::App* app) : app_(app) {}

OptionParser::~OptionParser() = default;

Option OptionParser::add_option(const std::string& names, std::string& value, const std::string& help) {
  return Option(app_->add_option(names, value, help));
}

Option OptionParser::add_option(const std::string& names, std::vector<std::string>& values,
                                const std::string& help) {
  return Option(app_->add_option(names, values, help));
}

Option OptionParser::add_option(const std::string& names, std::optional<std::string>& value,
                                const std::string& help) {
  return Option(app_->add_option(names, value, help));
}

Option OptionParser::add_option(const std::string& names, unsigned& value, const std::string& help) {
  return Option(app_->add_option(names, value, help));
}

Option OptionParser::add_option(const std::string& names, std::optional<uint64_t>& value,
                                const std::string& help) {
  return Option(app_->add_option(names, value, help));
}

Option OptionParser::add_option(const std::string& names, std::optional<unsigned>& value,
                                const std::string& help) {
  return Option(app_->add_option(names, value, help));
}

Option OptionParser::add_flag(const std::string& names, bool& value, const std::string& help) {
  return Option(app_->add_flag(names, value, help));
}

OptionParser* OptionParser::add_subcommand(const std::string& name, const std::string& help) {
  subcommands_.push_back(std::unique_ptr<OptionParser>(new OptionParser(app_->add_subcommand(name, help))));
  return subcommands_.back().get();
}

void OptionParser::require_subcommand() {
  app_->require_subcommand(1);
}

void OptionParser::describe_subcommands() {
  app_->require_subcommand(1);
  app_->set_help_flag();
  app_->set_help_all_flag("-h,--help", "print this help and exit");
}

const std::string& OptionParser::name() const {
  return app_->get_name();
}

bool OptionParser::parsed() const {
  return app_->parsed();
}

std::optional<int> OptionParser::parse(int argc, char** argv) {
  app_->set_version_flag("--version", std::string(kVersionText));
  try {
    app_->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app_->exit(error);
    complain(name(), escape(error.what()) + " (see " + name() + " --help)");
    return kExitUsage;
  }
  return std::nullopt;
}

}  // namespace diglim
