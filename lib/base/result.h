// SPDX-License-Identifier: Apache-2.0
// Result<T>: a value or an Error. The member names are std::expected's, which clang 14 cannot compile with
// libstdc++ 12; switch to std::expected once every supported compiler has it.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "lib/base/error.h"

namespace diglim {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // implicit on purpose
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // implicit on purpose

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // REQUIRES: has_value().
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  // REQUIRES: !has_value().
  Error& error() & { return std::get<1>(state_); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // implicit on purpose

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }

  // REQUIRES: !has_value().
  Error& error() & { return *error_; }
  const Error& error() const& { return *error_; }
  Error&& error() && { return std::move(*error_); }

 private:
  std::optional<Error> error_;
};

}  // namespace diglim

#define DIGLIM_CONCAT_INNER(a, b) a##b
#define DIGLIM_CONCAT(a, b) DIGLIM_CONCAT_INNER(a, b)

// TRY(expr): returns the error of a Result<void> from the calling function.
#define TRY(expr)                                                                                \
  do {                                                                                           \
    if (auto try_result = (expr); !try_result.has_value()) return std::move(try_result).error(); \
  } while (0)

// TRY_ASSIGN(auto x, expr): x is the value of a Result<T>, or the calling function returns its error.
#define TRY_ASSIGN(decl, expr)                                      \
  auto DIGLIM_CONCAT(try_result_, __LINE__) = (expr);               \
  if (!DIGLIM_CONCAT(try_result_, __LINE__).has_value())            \
    return std::move(DIGLIM_CONCAT(try_result_, __LINE__)).error(); \
  decl = std::move(DIGLIM_CONCAT(try_result_, __LINE__)).value()
