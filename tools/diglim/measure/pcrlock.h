// SPDX-License-Identifier: Apache-2.0
// What systemd-pcrlock(8) has to know of a register that IMA extends: components, and a log of this boot.
#pragma once

#include "lib/tcg/ima_log.h"
#include "tools/diglim/measure/options.h"

namespace diglim {

// systemd-pcrlock takes eight values of a register. It multiplies components, and adds variants of one: so
// each state in which something may be opened is a variant, with all that was measured until then. What the
// loader measures before the initramfs's init is in each, and predictions hold from 760- on. A root is opened
// before its lists are loaded, other volumes after.
constexpr char kComponent[] = "740-diglim";

// The content of a .pcrlock file each; systemd.pcrlock(5).
struct PcrlockComponents {
  std::string
      whole;  // all of the boot. Of the variants that fit systemd-pcrlock takes the first, so it comes first
  std::vector<std::string> states;  // before that: with the loader's manifest, then with one step more each
};
// Of the events of that register. kInvalid: OpenSSL fails.
Result<PcrlockComponents> make_components(const std::vector<ImaEvent>& events, unsigned pcr,
                                          bool with_states);
// kUntrusted, with the reason: they are not only manifests of lists and keys, so they must be no component.
// `manifests`: all that may have been measured.
Result<void> check_events(const std::vector<ImaEvent>& events, unsigned pcr,
                          const std::vector<Bytes>& manifests);

// The records to be appended to systemd's log, which has `present`: what IMA extended the register with and
// was not appended before. kCorrupt: `present` is no such log.
Result<std::string> make_records(const std::vector<ImaEvent>& events, unsigned pcr, std::string_view present);

struct PcrlockOptions {
  PredictOptions predict;
  std::string components;        // a directory
  std::string variant;           // of each component
  std::vector<std::string> log;  // IMA's, in pieces; none: that of this boot
  std::string records;           // systemd's log; empty: nothing is appended
  bool no_records = false;
  bool measured = false;  // components of what was measured, not of what is predicted
  std::string manifests;  // where the contents of these are
  bool json = false;
};
void add_pcrlock_options(OptionParser& app, PcrlockOptions& options);
int write_pcrlock(const OptionParser& app, PcrlockOptions& options);

}  // namespace diglim
