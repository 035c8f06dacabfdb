// SPDX-License-Identifier: Apache-2.0
#include "loader/kernel/maps.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "lib/base/text.h"

namespace diglim {
namespace {

constexpr size_t kElement = sizeof(diglim_bucket);
constexpr std::string_view kRefused =
    "the kernel refused: this file is not the diglim-loader that booted and its copy /run/diglim/loader "
    "cannot "
    "be used (reboot), or it runs under a tracer or a seccomp filter (container?); see dmesg | grep diglim";

Result<bpf_map_info> map_info(const Fd& map) {
  bpf_map_info info = {};
  __u32 size = sizeof(info);
  if (bpf_obj_get_info_by_fd(map.get(), &info, &size) != 0) return from_errno("query BPF map", errno);
  return info;
}

Result<size_t> array_bytes(const Fd& map) {
  TRY_ASSIGN(const bpf_map_info info, map_info(map));
  if (info.type != BPF_MAP_TYPE_ARRAY || info.value_size != kElement)
    return corrupt(0, "not a map of 256-byte elements");
  return size_t{info.max_entries} * kElement;
}

// To root only SELinux says so: EPERM where it refuses a capability, EACCES where it refuses a BPF object.
Error may_not_ask(int error) {
  const bool selinux = geteuid() == 0 && access("/sys/fs/selinux/enforce", F_OK) == 0;
  return {ErrorCode::kIo, error, std::string(selinux ? kSelinuxRefused : kMayNotAsk)};
}

// No descriptor if none was published yet.
Result<Fd> current_generation(const Fd& generations) {
  const uint32_t zero = 0;
  uint32_t id = 0;
  constexpr int kTries = 100;
  for (int i = 0; i < kTries; ++i) {
    if (bpf_map_lookup_elem(generations.get(), &zero, &id) != 0) {
      if (errno == ENOENT) return Fd();
      return from_errno("read BPF map diglim_gens", errno);
    }
    Fd inner(bpf_map_get_fd_by_id(id));
    if (inner) return inner;
    if (errno == EACCES) return may_not_ask(errno);
    if (errno != ENOENT) break;  // otherwise another loader has just put a newer one in its place
  }
  return Error{ErrorCode::kIo, errno, "open the current generation: " + std::string(strerror(errno))};
}

// Where a global variable lies in its map, by the map's own BTF: the loader that reads may be newer than the
// one that loaded.
Result<uint32_t> variable_offset(const bpf_map_info& info, const char* name) {
  const std::unique_ptr<btf, decltype(&btf__free)> types(btf__load_from_kernel_by_id(info.btf_id), btf__free);
  if (!types) return from_errno("read BTF of BPF map", errno);
  const btf_type* section = btf__type_by_id(types.get(), info.btf_value_type_id);
  if (section == nullptr || !btf_is_datasec(section))
    return corrupt(0, "a map of globals without a data section");
  const btf_var_secinfo* variable = btf_var_secinfos(section);
  for (int i = 0; i < btf_vlen(section); ++i, ++variable) {
    const btf_type* type = btf__type_by_id(types.get(), variable->type);
    if (type != nullptr && std::strcmp(btf__name_by_offset(types.get(), type->name_off), name) == 0) {
      return variable->offset;
    }
  }
  return not_found(std::string("no variable ") + name);
}

// Calls `use` with the place of a variable, mapped: the map of globals is large.
template <typename T>
Result<void> with_variable(const Fd& map, const char* name, int protection,
                           const std::function<void(T*)>& use) {
  TRY_ASSIGN(const bpf_map_info info, map_info(map));
  TRY_ASSIGN(const uint32_t offset, variable_offset(info, name));
  if (size_t{offset} + sizeof(T) > info.value_size || offset % alignof(T) != 0)
    return corrupt(offset, "variable outside its map");
  TRY_ASSIGN(const MapView view, MapView::create(map, info.value_size, protection));
  use(reinterpret_cast<T*>(view.bytes().data() + offset));
  return {};
}

template <typename T>
Result<T> read_variable(const Fd& map, const char* name) {
  T result = {};
  TRY(with_variable<T>(map, name, PROT_READ,
                       [&](T* variable) { std::memcpy(&result, variable, sizeof(T)); }));
  return result;
}

// Do the programs refuse this process? They answer about each of their objects that it is gone
// (bpf/guard.bpf.h). But if a process makes a map of such a name, they refuse.
bool is_refused() {
  const Fd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "diglim_refused", 4, 4, 1, nullptr));
  return !map && errno == EPERM;
}

// The oldest object of this name.
template <typename Info>
Result<Fd> find(std::string_view name, int (*next_id)(__u32, __u32*), int (*open_id)(__u32)) {
  __u32 id = 0;
  bool one_is_gone = false;
  while (next_id(id, &id) == 0) {
    Fd object(open_id(id));
    if (!object) {
      if (errno == ENOENT) {  // freed meanwhile, or one of ours, which are for the loader only
        one_is_gone = true;
        continue;
      }
      return errno == EACCES ? may_not_ask(errno) : from_errno("open a BPF object", errno);
    }
    Info info = {};
    __u32 size = sizeof(info);
    if (bpf_obj_get_info_by_fd(object.get(), &info, &size) == 0 && name == info.name) return object;
  }
  if (errno == EPERM) return may_not_ask(errno);
  if (one_is_gone && is_refused()) return Error{ErrorCode::kIo, EPERM, std::string(kRefused)};
  return not_found(std::string(kNotActive));
}

}  // namespace

Result<MapView> MapView::create(const Fd& map, size_t bytes, int protection) {
  void* at = mmap(nullptr, bytes, protection, MAP_SHARED, map.get(), 0);
  if (at == MAP_FAILED) return from_errno("map BPF array", errno);
  return MapView(at, bytes);
}

MapView::~MapView() {
  if (at_ != nullptr) (void)munmap(at_, bytes_);  // cannot fail for a range that mmap gave
}

Result<Fd> find_map(std::string_view name) {
  return find<bpf_map_info>(name, bpf_map_get_next_id, bpf_map_get_fd_by_id);
}

Result<Fd> find_program(std::string_view name) {
  return find<bpf_prog_info>(name, bpf_prog_get_next_id, bpf_prog_get_fd_by_id);
}

bool is_active() {
  const auto map = find_map(kGenerationsMap);
  return map || map.error().code != ErrorCode::kNotFound;
}

Result<std::span<uint8_t>> NewMap::allocate(size_t elements) {
  view_.reset();
  map_ = Fd();                       // before there is another one: a control group may have memory for one
  bpf_map_create_opts options = {};  // not LIBBPF_OPTS: that is GNU C
  options.sz = sizeof(options);
  options.map_flags =
      static_cast<__u32>(BPF_F_MMAPABLE) | (inner_ ? static_cast<__u32>(BPF_F_INNER_MAP) : 0u);
  map_ = Fd(bpf_map_create(BPF_MAP_TYPE_ARRAY, name_.c_str(), sizeof(uint32_t), kElement,
                           static_cast<uint32_t>(elements), &options));
  if (!map_) return from_errno("create BPF map " + name_, errno);
  TRY_ASSIGN(MapView view, MapView::create(map_, elements * kElement, PROT_READ | PROT_WRITE));
  return view_.emplace(std::move(view)).bytes();
}

Result<Fd> NewMap::freeze() {
  view_.reset();  // the kernel freezes none that somebody has mapped for writing
  if (bpf_map_freeze(map_.get()) != 0) return from_errno("freeze BPF map " + name_, errno);
  return std::move(map_);
}

Result<Bytes> read_array_map(const Fd& map) {
  TRY_ASSIGN(const size_t bytes, array_bytes(map));
  TRY_ASSIGN(const MapView view, MapView::create(map, bytes, PROT_READ));
  return to_bytes(view.bytes());
}

Result<uint64_t> map_memory(const Fd& map) {
  TRY_ASSIGN(const Bytes info, read_stream("/proc/self/fdinfo/" + std::to_string(map.get()), 1 << 16));
  constexpr std::string_view kLabel = "memlock:\t";
  const std::string_view text = as_text(info);
  const size_t at = text.find(kLabel);
  if (at == std::string_view::npos) return not_found("no memlock line in fdinfo");
  return std::strtoull(std::string(text.substr(at + kLabel.size())).c_str(), nullptr, 10);
}

Result<std::optional<Generation>> read_generation(const Fd& generations, Fd* map) {
  TRY_ASSIGN(Fd inner, current_generation(generations));
  if (!inner) return std::optional<Generation>();
  TRY_ASSIGN(const size_t bytes, array_bytes(inner));
  TRY_ASSIGN(MapView view, MapView::create(inner, bytes, PROT_READ));
  const auto content = std::make_shared<const MapView>(std::move(view));
  TRY_ASSIGN(Generation generation, Generation::decode(content->bytes(), content));
  if (map != nullptr) *map = std::move(inner);
  return std::optional<Generation>(std::move(generation));
}

Result<uint64_t> read_generation_number(const Fd& generations) {
  TRY_ASSIGN(const Fd inner, current_generation(generations));
  if (!inner) return uint64_t{0};
  TRY_ASSIGN(const MapView view, MapView::create(inner, sizeof(diglim_generation), PROT_READ));
  diglim_generation header;
  std::memcpy(&header, view.bytes().data(), sizeof(header));
  return uint64_t{header.number};
}

Result<void> publish_generation(const Fd& generations, NewMap& next, uint64_t last_removal) {
  TRY_ASSIGN(const Fd map, next.freeze());
  // First, so that no verdict outlives the removal of its digest, whatever happens in between.
  TRY_ASSIGN(const Fd globals, find_map(kGlobalsMap));
  TRY(with_variable<uint64_t>(globals, "diglim_last_removal", PROT_READ | PROT_WRITE,
                              [&](uint64_t* variable) { *variable = last_removal; }));
  const uint32_t zero = 0;
  const int fd = map.get();
  if (bpf_map_update_elem(generations.get(), &zero, &fd, BPF_ANY) != 0) return from_errno("publish", errno);
  return {};
}

Result<Fd> create_keys_map(ByteView blob) {
  Bytes content;
  put_u64_le(content, blob.size());
  append(content, blob);
  NewMap map(kKeysMap, false);
  TRY_ASSIGN(const auto out, map.allocate((content.size() + kElement - 1) / kElement));
  std::copy(content.begin(), content.end(), out.begin());
  return map.freeze();
}

Result<Bytes> read_keys_map(const Fd& keys) {
  TRY_ASSIGN(const Bytes content, read_array_map(keys));
  ByteReader reader(content);
  TRY_ASSIGN(const uint64_t size, reader.u64_le());
  TRY_ASSIGN(const ByteView blob, reader.bytes(size));
  return to_bytes(blob);
}

Result<diglim_counters> read_counters(const Fd& globals) {
  return read_variable<diglim_counters>(globals, "diglim_counters");
}

Result<diglim_log_counters> read_log_counters(const Fd& log) {
  const uint32_t zero = 0;
  diglim_log_counters counters = {};
  if (bpf_map_lookup_elem(log.get(), &zero, &counters) != 0) return from_errno("read BPF map", errno);
  return counters;
}

Result<KernelState> read_state() {
  KernelState state;
  TRY_ASSIGN(const Fd constants, find_map(kConstantsMap));
  TRY_ASSIGN(const Fd globals, find_map(kGlobalsMap));
  TRY_ASSIGN(const Fd log, find_map(kLogMap));
  TRY_ASSIGN(const uint32_t mode, read_variable<uint32_t>(constants, "diglim_mode"));
  TRY_ASSIGN(const uint32_t measure, read_variable<uint32_t>(constants, "diglim_measure"));
  TRY_ASSIGN(const uint32_t measuring, read_variable<uint32_t>(globals, "diglim_measuring"));
  TRY_ASSIGN(state.counters, read_counters(globals));
  TRY_ASSIGN(state.log, read_log_counters(log));
  TRY_ASSIGN(const uint32_t monitor, read_variable<uint32_t>(constants, "diglim_monitor"));
  using BootId = std::array<char, DIGLIM_BOOT_ID + 4>;
  TRY_ASSIGN(const BootId boot_id, read_variable<BootId>(constants, "diglim_boot_id"));
  state.monitor = static_cast<diglim_monitor>(monitor);
  state.boot_id.assign(boot_id.data(), strnlen(boot_id.data(), DIGLIM_BOOT_ID));
  state.mode = static_cast<diglim_mode>(mode);
  state.measures = measure != 0;
  state.measuring = measuring != 0;
  return state;
}

uint64_t accounted(const KernelState& state) {
  const diglim_log_counters& log = state.log;
  return log.logged + log.not_logged + log.not_written + state.counters.dropped_events;
}

uint64_t waiting(const KernelState& state) {
  const uint64_t known = accounted(state);
  return state.counters.denied > known ? state.counters.denied - known : 0;
}

}  // namespace diglim
