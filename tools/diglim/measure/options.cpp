// SPDX-License-Identifier: Apache-2.0
#include "tools/diglim/measure/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <set>

#include "lib/base/file.h"
#include "lib/base/paths.h"
#include "lib/base/text.h"
#include "lib/digest_list/signed_deny_list.h"
#include "lib/tcg/event_log.h"
#include "lib/tcg/ima_log.h"
#include "lib/tpm/tpm.h"
#include "policy/command_line.h"
#include "tools/diglim/initramfs/image.h"
#include "tools/diglim/measure/extends.h"

namespace diglim {
namespace {

Result<unsigned> parse_pcr(std::string_view text) {
  unsigned pcr = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pcr);
  if (error != std::errc() || end != text.data() + text.size() || pcr >= kPcrCount)
    return invalid("'" + escape(text, 40) + "' is no PCR; there are 0 to 23");
  return pcr;
}

std::vector<std::string> split(const std::string& text, char by) {
  std::vector<std::string> parts;
  size_t start = 0;
  for (size_t at = 0; at <= text.size(); ++at) {
    if (at < text.size() && text[at] != by) continue;
    if (at > start) parts.push_back(text.substr(start, at - start));
    start = at + 1;
  }
  return parts;
}

Result<PcrBank> replay_firmware_log(const std::string& path, HashAlgo bank) {
  const auto log = read_stream(path, kMaxEventLogBytes);
  if (!log) return with_context(escape(path), log.error());
  auto replayed = replay_event_log(*log, bank);
  if (!replayed) return with_context(escape(path), replayed.error());
  return replayed;
}

// What the register holds before IMA begins. Firmware, systemd's stub and boot managers extend registers that
// IMA may measure into, and all of them keep the firmware's log. Of a system that does not run nobody knows.
Result<Bytes> start_of(const PredictOptions& options, unsigned pcr, HashAlgo bank) {
  std::string path = options.event_log;
  const bool runs = options.system.root == ReferenceOptions().root;
  if (path.empty() && runs && (access(kFirmwareLog, F_OK) == 0 || errno != ENOENT)) path = kFirmwareLog;
  if (path.empty()) return PcrBank(bank).value(pcr);
  const auto replayed = replay_firmware_log(path, bank);
  if (!replayed)
    return Error{ErrorCode::kIo, 0,
                 "no prediction: what PCR " + std::to_string(pcr) + " begins with is not known: " +
                     replayed.error().message + "; as root, or with another log (--event-log)"};
  return replayed->value(pcr);
}

// What IMA's first event says. None: another register than its own.
Result<std::optional<Bytes>> find_boot_aggregate(const PredictOptions& options, unsigned pcr, HashAlgo bank) {
  if (pcr != kImaPcr) return std::optional<Bytes>();
  if (!options.boot_aggregate.empty()) {
    TRY_ASSIGN(Bytes value, from_hex(options.boot_aggregate));
    return std::optional<Bytes>(std::move(value));
  }
  if (!options.event_log.empty()) {
    TRY_ASSIGN(const PcrBank replayed, replay_firmware_log(options.event_log, bank));
    TRY_ASSIGN(Bytes value, boot_aggregate(replayed));
    return std::optional<Bytes>(std::move(value));
  }
  if (options.from_tpm) {
    TRY_ASSIGN(Tpm tpm, Tpm::open(options.tcti));
    TRY_ASSIGN(const auto values, tpm.read_pcrs({bank, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}}));
    PcrBank registers(bank);
    for (const auto& [number, value] : values) TRY(registers.set(number, value));
    TRY_ASSIGN(Bytes value, boot_aggregate(registers));
    return std::optional<Bytes>(std::move(value));
  }
  return invalid(
      "PCR 10 begins with boot_aggregate: give --boot-aggregate, --event-log or --from-tpm (or measure into "
      "another PCR, "
      "with pcr= in loader.conf)");
}

// "load:FILE,..." publishes, "unload:NAME,..." withdraws; each is one call of the loader.
Result<void> apply_transaction(const std::string& step, const TrustStore& trust, Generation& generation) {
  const size_t colon = step.find(':');
  const std::string verb = step.substr(0, colon);
  const auto operands = split(colon == std::string::npos ? "" : step.substr(colon + 1), ',');
  if ((verb != "load" && verb != "unload") || operands.empty())
    return invalid("--transaction '" + escape(step, 200) + "': load:FILE,... or unload:NAME,... is expected");
  for (const std::string& operand : operands) {
    if (verb == "unload") {
      if (!generation.remove(operand.substr(operand.rfind('/') + 1)))
        return invalid("--transaction: no list " + escape(operand) + " is loaded then");
      continue;
    }
    if (!list_folder(operand)) {
      TRY(add_list(generation, operand, trust));
      continue;
    }
    TRY_ASSIGN(auto left_out, add_lists(generation, operand, trust));
    if (!left_out.empty()) return std::move(left_out.front());  // the loader loads all or nothing
  }
  return {};
}

}  // namespace

int fail(const OptionParser& app, int status, const std::string& message) {
  complain(app.name(), message);
  return status;
}

int fail(const OptionParser& app, const Error& error) {
  switch (error.code) {
    case ErrorCode::kInvalid:
      return fail(app, kExitUsage, error.message);
    case ErrorCode::kCorrupt:
    case ErrorCode::kUntrusted:
    case ErrorCode::kUnsupported:
      return fail(app, kExitRejected, error.message);
    case ErrorCode::kNotFound:
    case ErrorCode::kIo:
      break;
  }
  return fail(app, kExitEnvironment, error.message);
}

void add_tcti_option(OptionParser& app, std::string& tcti) {
  tcti = kDefaultTcti;
  app.add_option("--tcti", tcti, "how to reach the TPM, as tpm2-tss says it (default: device:/dev/tpmrm0)");
}

void add_system_options(OptionParser& app, PredictOptions& options) {
  app.add_option("--root", options.system.root, "the system in this directory (default: /)");
  const Option initramfs = app.add_option(
      "--initramfs", options.initramfs,
      "an initramfs, unpacked or its image, whose configuration, keys and lists count first; those of --root "
      "are then loaded");
  app.add_flag(
         "--no-initramfs", options.no_initramfs,
         "the loader boots --root itself (default: without --root the initramfs of the running kernel is "
         "found, and unpacked)")
      .excludes(initramfs);
  app.add_option("--loader", options.system.loader, "another diglim-loader than usr/sbin/diglim-loader");
  app.add_option(
      "--cmdline", options.command_line,
      "the kernel command line (diglim.mode=, diglim.pcr=; default: none, or without --root this machine's)");
  app.add_option("--ima-policy", options.system.ima_policy,
                 "a file with another IMA policy than the loader's");
  app.add_flag("--no-labels", options.no_labels,
               "the LSM of labels = does not run, so that IMA measures everything");
  app.add_option("--algorithm", options.algo, "the kernel's ima_hash (default: sha256)");
  app.add_option("--program", options.programs, "NAME=SHA256 of a BPF object of another build of DIGLIM")
      .one_value_each();
}

void add_predict_options(OptionParser& app, PredictOptions& options) {
  add_system_options(app, options);
  app.add_option("--pcr", options.pcr, "the PCR that IMA measures into (default: as the configuration says)");
  app.add_option("--bank", options.bank, "its bank: sha1, sha256, sha384, sha512 (default: sha256)");
  app.add_option("--boot-aggregate", options.boot_aggregate, "IMA's first value in PCR 10, in hexadecimal");
  app.add_option("--event-log", options.event_log,
                 "compute that, and what the PCR holds before IMA begins, from this firmware log (default "
                 "for the latter, without --root: this machine's)");
  app.add_flag("--from-tpm", options.from_tpm, "compute that from PCRs 0 to 9 of the TPM");
  app.add_option("--boot-template", options.boot_template,
                 "template of that event: the kernel's default (default: ima-sig)");
  app.add_option("--transaction", options.transactions,
                 "then load:FILE,... or unload:NAME,...; may be repeated, each is one call of the loader")
      .one_value_each();
  app.add_flag("--next-boot", options.next_boot, "the value of the next boot after these transactions");
  add_tcti_option(app, options.tcti);
}

namespace {

constexpr const char* kHow =
    "; name one, unpacked or an image (--initramfs), or say that there is none (--no-initramfs)";
constexpr const char* kAnother = "; or name another one, unpacked or an image (--initramfs)";

// The root of a system that has left its initramfs lies on no memory file system.
bool is_initramfs(const std::string& root) {
  struct statfs info = {};
  return statfs(root.c_str(), &info) == 0 && (info.f_type == TMPFS_MAGIC || info.f_type == RAMFS_MAGIC);
}

// Was the loader started from an initramfs? (init= starts it from the root.)
bool was_started_by_rdinit(std::string_view line) {
  const auto rdinit = split_kernel_line(line).value("rdinit");
  return rdinit && rdinit->ends_with("/diglim-loader");
}

// Of a host whose loader lies in an initramfs, the prediction without it is another boot's. Nothing to do
// where there is none: such a host boots its root.
Result<void> find_initramfs(PredictOptions& options) {
  std::vector<std::string> images;
  if (!options.initramfs.empty()) {
    struct stat info = {};
    if (stat(options.initramfs.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return {};
    images = {options.initramfs};
  } else {
    if (options.no_initramfs || options.system.root != ReferenceOptions().root ||
        is_initramfs(options.system.root))
      return {};
    utsname system = {};
    if (uname(&system) != 0) return from_errno("uname", errno);
    auto found = initramfs::find_images("", system.release);
    if (!found)
      return with_context("no prediction", Error{ErrorCode::kIo, 0, found.error().message + kAnother});
    if (found->empty()) {
      TRY_ASSIGN(const std::string line, read_text_file("/proc/cmdline", 1 << 16));
      if (!was_started_by_rdinit(options.command_line.value_or(line))) return {};
      return Error{ErrorCode::kIo, 0,
                   "the loader is started from an initramfs (rdinit=), and none of kernel " +
                       escape(system.release) + " is found in /boot or /efi" + kHow};
    }
    images = *found;
  }
  auto unpacked = UnpackedInitramfs::of_images(images);
  if (!unpacked) return Error{ErrorCode::kIo, 0, unpacked.error().message + kAnother};
  options.unpacked = std::make_shared<UnpackedInitramfs>(std::move(*unpacked));
  options.initramfs = options.unpacked->root();
  struct stat info = {};
  if (stat((options.initramfs + kInstalledLoader).c_str(), &info) != 0)
    return Error{ErrorCode::kIo, 0,
                 "the initramfs " + escape(fmt::format("{}", fmt::join(images, " + "))) +
                     " does not hold the loader" + kAnother};
  return {};
}

}  // namespace

Result<Reference> read_reference(const OptionParser& app, PredictOptions& options) {
  TRY(find_initramfs(options));
  TRY_ASSIGN(options.system.algo, parse_bank(options.algo));
  options.system.labels = !options.no_labels;
  for (const std::string& program : options.programs) {
    const size_t equals = program.find('=');
    if (equals == std::string::npos) return invalid("--program: NAME=SHA256 is expected");
    options.system.programs[program.substr(0, equals)] = program.substr(equals + 1);
  }
  if (options.command_line) {
    options.system.command_line = *options.command_line;
  } else if (options.system.root == ReferenceOptions().root) {
    TRY_ASSIGN(options.system.command_line, read_text_file("/proc/cmdline", 1 << 16));
  }
  ReferenceOptions first = options.system;
  if (!options.initramfs.empty()) first.root = options.initramfs;
  TRY_ASSIGN(Reference reference, read_reference(first));
  for (const Error& error : reference.left_out)
    complain(app.name(), "left out, as at boot: " + error.message);
  return reference;
}

// Of the lists of the initramfs, those that the root does not have.
Result<std::vector<std::string>> older_lists(const std::string& folder,
                                             const std::vector<ManifestList>& initramfs) {
  std::vector<std::string> old;
  const auto names = list_folder(folder);
  if (!names && names.error().code == ErrorCode::kNotFound) return old;
  if (!names) return names.error();
  for (const ManifestList& list : initramfs) {
    if (!std::ranges::binary_search(*names, list.name)) old.push_back(list.name);
  }
  return old;
}

Result<Predicted> predict(const OptionParser& app, PredictOptions& options) {
  TRY_ASSIGN(Reference reference, read_reference(app, options));
  TRY_ASSIGN(const HashAlgo bank, parse_bank(options.bank));
  const unsigned pcr = options.pcr.value_or(static_cast<unsigned>(reference.config.pcr));
  if (pcr >= kPcrCount) return invalid("--pcr is a number from 0 to 23");
  if (!reference.config.measures())
    return invalid(
        "this system measures nothing: set measure = on in loader.conf, or name diglim.measure=on with "
        "--cmdline");
  if (options.no_labels || reference.config.steering_labels() == PolicyLabels::kNone)
    return unsupported(
        "without labels (as in permissive mode under SELinux) IMA measures every file that is used, in the "
        "order of use: no value can be "
        "predicted");
  Predicted predicted{Prediction(pcr, bank, options.system.algo), pcr, bank};
  Prediction& prediction = predicted.prediction;
  TRY_ASSIGN(const auto aggregate, find_boot_aggregate(options, pcr, bank));
  TRY_ASSIGN(const Bytes start, start_of(options, pcr, bank));
  TRY(prediction.start(start));
  if (aggregate) TRY(prediction.boot_aggregate(*aggregate, options.boot_template));

  // Each step is one publication: the lists of the initramfs, then those of the root, then, by
  // diglim-repair.service, without those that the root does not have; then the transactions. At the next boot
  // these are in the root already.
  std::vector<Publication> steps = {{reference.boot.lists, reference.boot.deny_lists}};
  Generation& generation = reference.generation;
  std::vector<ManifestKey> granted;
  const auto add_step = [&] {
    steps.push_back(
        {manifest_lists(generation.lists()), manifest_deny_lists(reference.trust.denials(), {}), granted});
  };
  std::vector<std::string> old;  // names
  if (!options.initramfs.empty()) {
    // As dracut's hook has it: bad ones are skipped.
    TRY_ASSIGN(const auto denied, read_deny_lists(options.system.root + kRevokedFolder, reference.trust));
    if (denied.changed) {
      TRY_ASSIGN(const auto again,
                 apply_denials_and_keep(generation, reference.trust, options.initramfs + kListsFolder));
      (void)again;  // named when the initramfs was read
    }
    for (const Error& error : denied.left_out) complain(app.name(), "left out: " + error.message);
    TRY_ASSIGN(const auto left_out,
               add_lists(generation, options.system.root + kListsFolder, reference.trust));
    for (const Error& error : left_out)
      complain(app.name(), "left out, as before the switch to the real root: " + error.message);
    add_step();
    TRY_ASSIGN(old, older_lists(options.system.root + kListsFolder, reference.boot.lists));
  }
  const size_t boot_steps = steps.size();
  // What a statement grants counts from then on, if the boot does not trust it by itself.
  const auto repair = [&]() -> Result<void> {
    size_t withdrawn = 0;
    for (const std::string& name : old) withdrawn += generation.remove(name) ? 1 : 0;
    TRY_ASSIGN(const GrantsFollowed grants,
               follow_grants(generation, options.system.root + kGrantedFolder, reference.trust));
    for (const Error& error : grants.left_out) complain(app.name(), "left out: " + error.message);
    if (grants.changed) {
      TRY_ASSIGN(granted, manifest_grants(generation.grants(), {}));
      TRY_ASSIGN(const auto left_out,
                 add_lists(generation, options.system.root + kListsFolder, reference.trust));
      (void)left_out;  // named before
    }
    if (withdrawn > 0 || grants.changed) add_step();
    return {};
  };
  if (!options.next_boot) TRY(repair());
  for (const std::string& step : options.transactions) {
    TRY(apply_transaction(step, reference.trust, generation));
    if (options.next_boot) steps.pop_back();
    add_step();
  }
  if (options.next_boot) TRY(repair());
  // Under SELinux the manifest of the boot comes only after the root's lists.
  const size_t first = reference.config.labels == PolicyLabels::kSelinux ? boot_steps - 1 : 0;
  reference.boot.lists = steps[first].lists;
  reference.boot.deny_lists = steps[first].deny_lists;
  TRY(prediction.boot(reference.boot));
  for (size_t i = first + 1; i < steps.size(); ++i) TRY(prediction.update(steps[i]));
  return predicted;
}

void add_limit_options(OptionParser& app, LimitOptions& options, const std::string& when) {
  app.add_option(
      "--until-counter", options.until,
      when + "what is signed ends when the TPM's counter has passed this value (diglim pcr counter)");
  app.add_option(
      "--counter-index", options.index,
      when + "the index of that counter (default: " + counter_index_text(kDefaultCounterIndex) + ")");
}

Result<uint32_t> read_counter_index(const std::string& text) {
  if (text.empty()) return kDefaultCounterIndex;
  return counter_index_from_text(text);
}

Result<std::optional<CounterLimit>> read_limit(const LimitOptions& options) {
  if (!options.until) {
    if (!options.index.empty()) return invalid("--counter-index has no meaning without --until-counter");
    return std::optional<CounterLimit>();
  }
  TRY_ASSIGN(const uint32_t index, read_counter_index(options.index));
  return std::optional<CounterLimit>({index, *options.until});
}

Result<HashAlgo> parse_bank(const std::string& text) {
  auto bank = pcr_bank_from_name(text);
  if (!bank) return invalid(bank.error().message);
  return bank;
}

Result<std::vector<unsigned>> parse_pcr_list(const std::string& text) {
  std::set<unsigned> pcrs;
  for (const std::string& part : split(text, ',')) {
    const size_t dash = part.find('-');
    TRY_ASSIGN(const unsigned first, parse_pcr(part.substr(0, dash)));
    unsigned last = first;
    if (dash != std::string::npos) {
      TRY_ASSIGN(last, parse_pcr(part.substr(dash + 1)));
    }
    for (unsigned pcr = first; pcr <= last; ++pcr) pcrs.insert(pcr);
  }
  if (pcrs.empty()) return invalid("no PCR is named");
  return std::vector<unsigned>(pcrs.begin(), pcrs.end());
}

Result<void> read_pcr_values(const std::vector<std::string>& texts, const std::vector<unsigned>& pcrs,
                             std::map<unsigned, Bytes>& values) {
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    if (equals == std::string::npos) return invalid("--value: PCR=HEX is expected");
    TRY_ASSIGN(const unsigned pcr, parse_pcr(text.substr(0, equals)));
    if (std::ranges::find(pcrs, pcr) == pcrs.end())
      return invalid(fmt::format("--value {}: PCR {} is not among --pcrs", escape(text), pcr));
    TRY_ASSIGN(Bytes value, from_hex(text.substr(equals + 1)));
    if (!values.emplace(pcr, std::move(value)).second)
      return invalid(fmt::format("--value {}: PCR {} has a value already", escape(text), pcr));
  }
  return {};
}

Result<std::string> read_text_file(const std::string& path, size_t max) {
  TRY_ASSIGN(const Bytes content, read_stream(path, max));
  return std::string(as_text(content));
}

}  // namespace diglim
