// SPDX-License-Identifier: Apache-2.0
// The running DIGLIM, as its maps show it. This directory is the only one that knows libbpf.
//
// Maps are found by walking the kernel's map ids and comparing names: nobody but the loader can make a map
// with our prefix once the guards are attached. The oldest of a name counts.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "bpf/abi.h"
#include "lib/base/file.h"
#include "lib/generation/generation.h"

namespace diglim {

constexpr std::string_view kNotActive =
    "DIGLIM is not active: boot with rdinit=/usr/sbin/diglim-loader (if you did: dmesg | grep diglim)";

constexpr std::string_view kMayNotAsk = "only root (CAP_SYS_ADMIN) may ask the kernel";
constexpr std::string_view kSelinuxRefused =
    "SELinux refused what the loader asks of the kernel (or the caller is root without CAP_SYS_ADMIN): "
    "install diglim-selinux, then restorecon -RF "
    "/usr/sbin/diglim-loader /run/diglim; what it refused: journalctl -b | grep 'avc:  denied'";

constexpr std::string_view kGenerationsMap = "diglim_gens";
constexpr std::string_view kKeysMap = "diglim_keys";
constexpr std::string_view kGenerationMap = "diglim_gen";
constexpr std::string_view kRolesMap = "diglim_tasks";
constexpr std::string_view kEventsMap = "diglim_events";
constexpr std::string_view kClaimsMap = "diglim_claims";
constexpr std::string_view kLogMap = "diglim_log";
constexpr std::string_view kConstantsMap = "diglim_b.rodata";
constexpr std::string_view kGlobalsMap = "diglim_b.bss";

// kNotFound: DIGLIM does not run here ("not active"). kIo with EPERM: it does, but this process has no rights
// to it.
Result<Fd> find_map(std::string_view name);
Result<Fd> find_program(std::string_view name);

// Does DIGLIM run here already? True also for a process that may not ask.
bool is_active();

// A mapping of an array map. Unmapped at the end of life.
class MapView {
 public:
  static Result<MapView> create(const Fd& map, size_t bytes, int protection);
  MapView(MapView&& other) noexcept : at_(std::exchange(other.at_, nullptr)), bytes_(other.bytes_) {}
  MapView& operator=(MapView&&) = delete;
  ~MapView();
  std::span<uint8_t> bytes() const { return {static_cast<uint8_t*>(at_), bytes_}; }

 private:
  MapView(void* at, size_t bytes) : at_(at), bytes_(bytes) {}
  void* at_;
  size_t bytes_;
};

// An array map of 256-byte elements that is still written. With `inner` it can become a generation.
class NewMap {
 public:
  NewMap(std::string_view name, bool inner) : name_(name), inner_(inner) {}
  // Its memory, all zeros, aligned to a page. What an earlier call gave is gone.
  Result<std::span<uint8_t>> allocate(size_t elements);
  // Ends the writing: afterwards nobody can write to it, whatever descriptor he has. REQUIRES: allocate().
  Result<Fd> freeze();

 private:
  std::string name_;
  bool inner_;
  Fd map_;
  std::optional<MapView> view_;
};

// The whole content of such a map.
Result<Bytes> read_array_map(const Fd& map);

// Bytes of kernel memory, as the kernel accounts them (fdinfo: memlock).
Result<uint64_t> map_memory(const Fd& map);

// The generation in force; nullopt if none was published yet. `map`, if given, receives its descriptor.
Result<std::optional<Generation>> read_generation(const Fd& generations, Fd* map = nullptr);

// Its number alone, without the cost of decoding the rest; 0 if none was published yet.
Result<uint64_t> read_generation_number(const Fd& generations);

// Makes the one that was sealed into `map` the one in force, with one update that every reader sees whole or
// not at all. On an error the old one stays.
Result<void> publish_generation(const Fd& generations, NewMap& map, uint64_t last_removal);

// The trusted keys as frozen at boot: a blob for TrustStore::from_blob().
Result<Fd> create_keys_map(ByteView blob);
Result<Bytes> read_keys_map(const Fd& keys);

// What the programs were given and have counted. Mode and counters live in the maps of constants and globals.
struct KernelState {
  diglim_mode mode = DIGLIM_MODE_ENFORCE;
  bool measures = false;                        // IMA measures what is unknown
  bool measuring = false;                       // and has begun to
  diglim_monitor monitor = DIGLIM_MONITOR_OFF;  // who may begin monitor mode
  std::string boot_id;                          // as read at boot, before root could show another
  diglim_counters counters = {};
  diglim_log_counters log = {};
};
Result<KernelState> read_state();
// How many denials are accounted for: they have a line in the log, or it is known why not.
uint64_t accounted(const KernelState& state);
// How many wait in the ring buffer for the keeper, or are in its hands.
uint64_t waiting(const KernelState& state);
// Parts of it, from descriptors: these need no rights any more.
Result<diglim_counters> read_counters(const Fd& globals);
Result<diglim_log_counters> read_log_counters(const Fd& log);

}  // namespace diglim
