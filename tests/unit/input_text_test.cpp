// Input from files and from what a shell puts in their place.
#include "runtime/io/input_text.h"
#include "runtime/io/mapped_file.h"
#include "tests/unit/expect_error.h"
#include "tests/unit/temporary_folder.h"
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace linmu {
namespace {

using test::expectError;
using test::writeBytes;

TEST(InputText, IsTheWholeFile) {
  test::TemporaryFolder folder;
  std::string text(200'000, 'x');
  text[100] = '\0';
  writeBytes(folder / "text", text);
  EXPECT_EQ(readInputText(folder / "text"), text);
  writeBytes(folder / "empty", "");
  EXPECT_EQ(readInputText(folder / "empty"), "");
}

TEST(InputText, OfAFifoIsAllThatItsWriterSends) {
  test::TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  std::thread writer([&] {
    int fifo = ::open((folder / "fifo").c_str(), O_WRONLY);
    for (int piece = 0; piece < 3; ++piece) {
      EXPECT_EQ(::write(fifo, "piece ", 6), 6);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    ::close(fifo);
  });
  EXPECT_EQ(readInputText(folder / "fifo"), "piece piece piece ");
  writer.join();
}

TEST(InputText, OfADescriptorGoesOnWhereItStands) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  ASSERT_EQ(::write(pipe[1], "text", 4), 4);
  ::close(pipe[1]);
  EXPECT_EQ(readInputText("/dev/fd/" + std::to_string(pipe[0])), "text");
  ::close(pipe[0]);
}

TEST(InputText, AWaitIsToldOrRefused) {
  test::TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  expectError(ErrorCode::io, {"cannot read ", "fifo: nothing has come for 2 seconds"},
              [&] { readInputText(folder / "fifo"); });
  std::thread writer;
  int notices = 0;
  std::string text = readInputText(folder / "fifo", [&](const std::string &what) {
    EXPECT_EQ(what, (folder / "fifo").string());
    if (++notices == 1)
      writer = std::thread([&] { writeBytes(folder / "fifo", "at last"); });
  });
  writer.join();
  EXPECT_EQ(text, "at last");
  EXPECT_EQ(notices, 1);
}

TEST(InputText, WhatHasNoEndIsRefused) {
  expectError(ErrorCode::io, {"cannot read /dev/zero: it has more than 64 MiB"},
              [] { readInputText("/dev/zero"); });
}

TEST(InputText, WhatCannotBeReadIsNamed) {
  test::TemporaryFolder folder;
  expectError(ErrorCode::io, {"cannot read ", "none: No such file or directory"},
              [&] { readInputText(folder / "none"); });
  expectError(ErrorCode::io, {folder.path().string() + ": it is a folder"},
              [&] { readInputText(folder.path()); });
  expectError(ErrorCode::io, {"requires the path of a file, got an empty one"}, [] { readInputText(""); });
}

TEST(MappedFile, WhatCannotBeMappedIsRefusedAtOnceWithTheReason) {
  test::TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  expectError(ErrorCode::io,
              {"fifo: it is a FIFO, and its parts are read in any order; give the name of a file"},
              [&] { MappedFile file(folder / "fifo"); });
  expectError(ErrorCode::io, {"/dev/null: it is a device, and"}, [] { MappedFile file("/dev/null"); });
  expectError(ErrorCode::io, {": it is a folder"}, [&] { MappedFile file(folder.path()); });
}

TEST(MappedFile, AFileThatGrowsKeepsTheSizeItHad) {
  test::TemporaryFolder folder;
  writeBytes(folder / "file", "four");
  MappedFile file(folder / "file");
  std::filesystem::resize_file(folder / "file", 100'000);
  EXPECT_EQ(std::string(reinterpret_cast<const char *>(file.bytes().data()), file.bytes().size()), "four");
}

} // namespace
} // namespace linmu
