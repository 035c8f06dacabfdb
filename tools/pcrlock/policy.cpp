// SPDX-License-Identifier: Apache-2.0
#include "tools/pcrlock/policy.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <sstream>

#include "lib/base/text.h"
#include "tools/diglim/setup/uki_images.h"
#include "tools/pcrlock/run.h"

namespace diglim::pcrlock {
namespace {

constexpr char kPin[] = "/etc/credstore.encrypted/pcrlock.recovery-pin";
constexpr size_t kMaxPolicy = 1u << 20;

bool has_content(const char* path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return !error && size > 0;
}

Values read_policy() {
  const auto text = read_file(kPolicy, kMaxPolicy);
  return read_values(text ? std::string(as_text(*text)) : "");
}

std::vector<std::string> lines_with(const std::string& said, std::string_view part) {
  std::vector<std::string> found;
  std::istringstream lines(said);
  for (std::string line; std::getline(lines, line);) {
    if (line.find(part) != std::string::npos) found.push_back(escape(line));
  }
  return found;
}

// The policy is in three places: the TPM, the root, the EFI system partition. If this ends between, the next
// one writes all of them, also if the prediction is that of the file. Was it known to be whole?
Result<bool> doubt_policy() {
  const bool was_whole = access(setup::kPcrlockState, F_OK) == 0;
  if (unlink(setup::kPcrlockState) != 0 && errno != ENOENT)
    return from_errno(std::string("remove ") + setup::kPcrlockState, errno);
  const auto folder =
      open_file(std::filesystem::path(setup::kPcrlockState).parent_path(), O_RDONLY | O_DIRECTORY);
  if (folder) (void)fsync(folder->get());
  return was_whole;
}

// Without the PIN systemd-pcrlock takes it from the TPM, which gives it in a state only that the policy
// knows, so not after an update of the running system.
Result<CommandResult> make_with_pin(std::vector<std::string> words) {
  if (!has_content(kPin)) {
    words.push_back("make-policy");
    return run_pcrlock(words);
  }
  const auto decrypted =
      run_command({"systemd-creds", "decrypt", "--name=pcrlock.recovery-pin", kPin, "-"}, Errors::kApart);
  if (failure(decrypted)) return decrypted;
  words.insert(words.end(), {"--recovery-pin=query", "make-policy"});
  const std::string& pin = decrypted->output;
  return run_pcrlock(words, {"PIN=" + pin.substr(0, pin.find_last_not_of('\n') + 1)});
}

}  // namespace

bool has_policy() {
  return has_content(kPolicy);
}

Result<Policy> Policy::find(std::string components, unsigned own, bool is_new) {
  std::set<unsigned> registers;
  if (has_policy()) {
    for (const auto& [number, values] : read_policy()) registers.insert(number);
    if (registers.empty())
      return invalid(
          fmt::format("{} names no register, so it guards nothing: make it anew with {} "
                      "--pcr=NUMBER ... make-policy, see diglim-pcr(1)",
                      kPolicy, systemd_pcrlock()));
  } else {
    registers = {7, own, 11};
    if (!is_new) registers.insert(9);
  }
  return Policy(std::move(components), std::move(registers));
}

std::vector<std::string> Policy::words(const std::vector<std::string>& more) const {
  std::vector<std::string> words = {"--components=" + components_};
  for (const unsigned number : registers_) words.push_back(fmt::format("--pcr={}", number));
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Result<Values> Policy::predict() {
  auto done = run_pcrlock(words({"--json=short", "predict"}));
  if (const auto why = failure(done))
    return invalid(fmt::format("systemd-pcrlock: {}; the policy stays as it is", *why));
  predicted_ = read_values(done->output);
  std::erase_if(predicted_, [&](const auto& entry) { return !registers_.contains(entry.first); });
  said_ = std::move(done->said);
  return predicted_;
}

Result<void> Policy::check_all_predicted() const {
  for (const unsigned number : registers_) {
    if (predicted_.contains(number)) continue;
    const auto why = lines_with(said_, fmt::format("PCR {} ", number));
    return unsupported(fmt::format("systemd-pcrlock cannot predict PCR {}: {}; the policy stays as it is",
                                   number, why.empty() ? "" : why.front()));
  }
  return {};
}

// It leaves out what it cannot predict at this moment, whatever it could a moment ago; and then anything
// opens what is bound.
Result<void> Policy::check_all_made() const {
  const Values made = read_policy();
  std::vector<unsigned> missing;
  std::ranges::copy_if(registers_, std::back_inserter(missing),
                       [&](unsigned number) { return !made.contains(number); });
  if (missing.empty()) return {};
  const std::string lost = fmt::format("PCR {}", fmt::join(missing, " "));
  if (const auto why = failure(run_pcrlock({"remove-policy"})))
    return unsupported(fmt::format(
        "THE POLICY HAS LOST {}: WHAT IS BOUND TO IT OPENS WHATEVER BOOTS. It cannot be removed "
        "either: {}. Do it at once: {} remove-policy; then bind the volume anew, see diglim-pcr(1)",
        lost, *why, systemd_pcrlock()));
  return unsupported(fmt::format(
      "systemd-pcrlock made a policy without {}, so it was removed: what is bound to it asks for the "
      "recovery key. Make a policy and bind the volume anew, see diglim-pcr(1)",
      lost));
}

Result<void> Policy::make(bool has_images) {
  TRY(check_all_predicted());
  TRY_ASSIGN(const bool was_whole, doubt_policy());
  const auto made = make_with_pin(was_whole ? words({}) : words({"--force"}));
  if (const auto why = failure(made))
    return invalid(
        fmt::format("no policy was made: {}. What is bound may ask for its recovery key until one is. "
                    "Is there room in {}? Then run it again",
                    *why, std::filesystem::path(kPolicy).parent_path().string()));
  TRY(check_all_made());
  const auto written = lines_with(made->said, "Written new policy");
  // It says so, and calls it a success.
  if (has_images && !written.empty() && lines_with(made->said, "Written new boot policy").empty())
    return invalid(
        fmt::format("the new policy could not be written to the EFI system partition: {}. A root that "
                    "is bound to it asks for its recovery key. To do: make room there, then run it again",
                    last_line(made->said)));
  for (const std::string& line : written) fmt::print("{}: {}\n", kTool, line);
  for (const std::string& line : lines_with(made->said, "identical to current policy"))
    fmt::print("{}: {}\n", kTool, line);
  return {};
}

Result<void> check_guarded(const Values& predicted) {
  if (knows_initramfs(predicted)) return {};
  if (has_policy())
    return unsupported(fmt::format(
        "this host boots no signed images, so the policy would open what is bound to it to any "
        "initramfs, and stays as it is: what is bound asks for its recovery key at each boot that the "
        "policy does not know. To do: diglim setup install --uki; or {} remove-policy",
        systemd_pcrlock()));
  return unsupported(
      "this host boots no signed images, so a policy would open what is bound to it to any initramfs: make "
      "none. "
      "To do first: diglim setup install --uki, see diglim-pcr(1)");
}

}  // namespace diglim::pcrlock
