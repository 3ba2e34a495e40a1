// Output folders: all or nothing, and what of the user's own is never taken away.
#include "runtime/io/atomic_folder.h"
#include "tests/unit/expect_error.h"
#include "tests/unit/temporary_folder.h"
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace linmu {
namespace {

using test::expectError;
using test::readBytes;
using test::writeBytes;
namespace fs = std::filesystem;

class AtomicFolderTest : public testing::Test {
protected:
  static std::size_t entries(const fs::path &path) {
    return std::size_t(std::distance(fs::directory_iterator(path), fs::directory_iterator()));
  }
  /// Two files, one of them deeper.
  static void put(const fs::path &target, AtomicFolder::Existing existing, bool commits = true) {
    AtomicFolder folder(target, existing);
    writeBytes(folder.path() / "file", "text");
    fs::create_directory(folder.path() / "deep");
    writeBytes(folder.path() / "deep" / "file", "more");
    if (commits)
      folder.commit();
  }
  void expectWhole(const fs::path &path) {
    EXPECT_EQ(readBytes(path / "file"), "text");
    EXPECT_EQ(readBytes(path / "deep" / "file"), "more");
    EXPECT_EQ(entries(path), 2u) << path;
  }
  test::TemporaryFolder folder_;
};

TEST_F(AtomicFolderTest, ANewFolderAppearsWholeOrNotAtAll) {
  for (auto existing : {AtomicFolder::Existing::replace, AtomicFolder::Existing::refuse}) {
    const fs::path target =
        folder_ / (existing == AtomicFolder::Existing::replace ? "replace" : "refuse") / "out";
    put(target, existing, false);
    EXPECT_EQ(entries(target.parent_path()), 0u);
    put(target / "", existing); // "out/"
    expectWhole(target);
    EXPECT_EQ(entries(target.parent_path()), 1u);
  }
}

TEST_F(AtomicFolderTest, ANameMayBeAsLongAsTheFileSystemAllows) {
  for (auto existing : {AtomicFolder::Existing::replace, AtomicFolder::Existing::refuse}) {
    const fs::path target =
        folder_ / std::string(255, existing == AtomicFolder::Existing::replace ? 'a' : 'b');
    put(target, existing);
    expectWhole(target);
  }
}

TEST_F(AtomicFolderTest, WhatIsThereIsReplacedOrRefused) {
  const fs::path target = folder_ / "out";
  fs::create_directory(target);
  writeBytes(target / "mine", "mine");
  expectError(ErrorCode::io, {"cannot write " + target.string() + ": the folder holds files"},
              [&] { put(target, AtomicFolder::Existing::refuse); });
  EXPECT_EQ(readBytes(target / "mine"), "mine");
  EXPECT_EQ(entries(target), 1u);
  put(target, AtomicFolder::Existing::replace);
  expectWhole(target);
}

TEST_F(AtomicFolderTest, AnEmptyFolderStaysTheOneThatItIs) {
  const fs::path target = folder_ / "out", link = folder_ / "link", far = folder_ / "far";
  fs::create_directory(target);
  fs::permissions(target, fs::perms::owner_all);
  fs::create_symlink("out", link);
  struct stat before{}, after{};
  ASSERT_EQ(::stat(target.c_str(), &before), 0);
  put(link, AtomicFolder::Existing::refuse, false);
  EXPECT_EQ(entries(target), 0u);
  fs::create_directory(target / ".linmu-unfinished-"); // of a process that was killed
  put(link, AtomicFolder::Existing::refuse);
  expectWhole(target);
  ASSERT_EQ(::stat(target.c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(after.st_mode & 07777, 0700u);
  EXPECT_TRUE(fs::is_symlink(link));
  fs::create_symlink("new", far);
  put(far, AtomicFolder::Existing::refuse);
  expectWhole(folder_ / "new");
  EXPECT_TRUE(fs::is_symlink(far));
}

TEST_F(AtomicFolderTest, WhatIsNoFolderIsRefused) {
  writeBytes(folder_ / "file", "mine");
  for (const fs::path &target : {folder_ / "file", folder_ / "file" / "out"})
    expectError(ErrorCode::io, {"Not a directory"}, [&] { put(target, AtomicFolder::Existing::refuse); });
  expectError(ErrorCode::io, {"an empty one"}, [&] { put("", AtomicFolder::Existing::refuse); });
  EXPECT_EQ(readBytes(folder_ / "file"), "mine");
  EXPECT_EQ(entries(folder_.path()), 1u);
}

} // namespace
} // namespace linmu
