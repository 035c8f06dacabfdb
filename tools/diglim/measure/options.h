// SPDX-License-Identifier: Apache-2.0
// Command line options that several verbs share.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/tcg/pcr.h"
#include "lib/tpm/counter.h"
#include "tools/diglim/initramfs/unpacked.h"
#include "tools/diglim/measure/prediction.h"
#include "tools/diglim/measure/reference.h"
#include "tools/tool.h"

namespace diglim {

// Prints it and gives the exit status that fits it: a wrong call, a rejected input, or the system.
int fail(const OptionParser& app, const Error& error);
int fail(const OptionParser& app, int status, const std::string& message);

struct PredictOptions {
  ReferenceOptions system;
  std::optional<unsigned> pcr;  // none: what the configuration says
  std::string bank = "sha256";
  std::string algo = "sha256";
  std::optional<std::string>
      command_line;  // of the kernel; none: this machine's if the root is, or else empty
  bool no_labels = false;
  std::vector<std::string> programs;  // NAME=HEX
  std::string boot_aggregate;         // hexadecimal
  std::string event_log;              // a file
  bool from_tpm = false;
  std::string tcti;
  std::string boot_template = "ima-sig";
  std::string initramfs;  // a directory or an image; empty: read_reference() looks for the running kernel's
  bool no_initramfs = false;  // the loader boots this root itself
  std::vector<std::string> transactions;
  bool next_boot = false;
  std::shared_ptr<UnpackedInitramfs> unpacked;  // what was found so
};

void add_system_options(OptionParser& app, PredictOptions& options);
void add_predict_options(OptionParser& app, PredictOptions& options);
void add_tcti_option(OptionParser& app, std::string& tcti);

// What the options ask for. Of the running system, whose loader lies in the initramfs that dracut made, that
// is looked for; kIo if it cannot be found or unpacked, since a prediction without it would be wrong.
// Warnings go to stderr.
Result<Reference> read_reference(const OptionParser& app, PredictOptions& options);
struct Predicted {
  Prediction prediction;
  unsigned pcr;
  HashAlgo bank;
};
Result<Predicted> predict(const OptionParser& app, PredictOptions& options);

// Until when what is signed counts.
struct LimitOptions {
  std::optional<uint64_t> until;
  std::string index;
};
// `when`: how the help begins, such as "with --sign: ".
void add_limit_options(OptionParser& app, LimitOptions& options, const std::string& when);
// None: for ever. kInvalid: no such index, or one without a value.
Result<std::optional<CounterLimit>> read_limit(const LimitOptions& options);
// Empty: the default.
Result<uint32_t> read_counter_index(const std::string& text);

// "sha256", of an option. kInvalid.
Result<HashAlgo> parse_bank(const std::string& text);
// "0,1,7-10" -> ascending numbers. kInvalid.
Result<std::vector<unsigned>> parse_pcr_list(const std::string& text);
// "PCR=HEX" each, of registers in `pcrs`, none of which `values` has yet. kInvalid: what would be passed
// over.
Result<void> read_pcr_values(const std::vector<std::string>& texts, const std::vector<unsigned>& pcrs,
                             std::map<unsigned, Bytes>& values);
Result<std::string> read_text_file(const std::string& path, size_t max);

}  // namespace diglim
