// SPDX-License-Identifier: Apache-2.0
#include "lib/attest/line_stream.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

namespace diglim {
namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    out = Fd(ends[0]);
    in = Fd(ends[1]);
  }
  void write(std::string_view text) const { EXPECT_TRUE(write_bytes(in, "pipe", as_bytes(text))); }
  Fd out, in;
};

std::string text_of(const std::vector<LineStream::Line>& lines) {
  std::string text;
  for (const auto& line : lines)
    text += std::to_string(line.number) + (line.too_long ? "!" : ":") + line.text + " ";
  return text;
}

TEST(LineStream, GivesWhatIsThereWithoutWaitingForMore) {
  Pipe pipe;
  LineStream stream(std::move(pipe.out), "pipe", 100);
  pipe.write("one\ntwo\n\nfo");
  EXPECT_EQ(text_of(*stream.next()), "1:one 2:two ");
  pipe.write("ur\nfive");
  EXPECT_EQ(text_of(*stream.next()), "4:four ");
  pipe.in = Fd();
  EXPECT_EQ(text_of(*stream.next()), "5:five ");
  EXPECT_EQ(text_of(*stream.next()), "");
  EXPECT_EQ(text_of(*stream.next()), "");
}

TEST(LineStream, PassesOverWhatIsTooLong) {
  Pipe pipe;
  LineStream stream(std::move(pipe.out), "pipe", 5);
  pipe.write("12345\n123456\nx\n");
  EXPECT_EQ(text_of(*stream.next()), "1:12345 2! 3:x ");
  std::thread writer([&] {
    for (int i = 0; i < 100; ++i) pipe.write(std::string(10000, 'y'));
    pipe.write("\nz\n1234567");
    pipe.in = Fd();
  });
  std::string text;
  for (auto lines = *stream.next(); !lines.empty(); lines = *stream.next()) text += text_of(lines);
  writer.join();
  EXPECT_EQ(text, "4! 5:z 6! ");
}

TEST(LineStream, GivesNoMoreThanItMayAtOnce) {
  Pipe pipe;
  LineStream stream(std::move(pipe.out), "pipe", 100);
  std::thread writer([&] {
    for (int i = 0; i < 5000; ++i) pipe.write(std::string(99, 'x') + "\n");
    pipe.in = Fd();
  });
  size_t count = 0;
  for (auto lines = *stream.next(); !lines.empty(); lines = *stream.next()) {
    EXPECT_LE(lines.size(), LineStream::kMaxLines + (1u << 16) / 100 + 1);
    count += lines.size();
  }
  writer.join();
  EXPECT_EQ(count, 5000u);
}

}  // namespace
}  // namespace diglim
