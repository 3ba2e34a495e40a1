// Output files: what stands in their place, and what a user finds there afterwards.
#include "runtime/io/atomic_file.h"
#include "tests/unit/expect_error.h"
#include "tests/unit/temporary_folder.h"
#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <thread>
#include <unistd.h>

namespace linmu {
namespace {

using test::expectError;
using test::readBytes;
using test::writeBytes;
namespace fs = std::filesystem;

void put(const fs::path &path, const std::string &text) {
  AtomicFile file(path);
  file.write(text.data(), text.size());
  file.commit();
}

struct stat statusOf(const fs::path &path) {
  struct stat status{};
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status;
}

class AtomicFileTest : public testing::Test {
protected:
  std::size_t files() const {
    return std::size_t(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()));
  }
  /// Runs `action` as a user without rights, which only root can do.
  template <typename Action> static void asNobody(Action action) {
    constexpr uid_t nobody = 65534;
    ASSERT_EQ(::setresgid(nobody, nobody, 0), 0);
    ASSERT_EQ(::setresuid(nobody, nobody, 0), 0);
    action();
    ASSERT_EQ(::setresuid(0, 0, 0), 0);
    ASSERT_EQ(::setresgid(0, 0, 0), 0);
  }
  test::TemporaryFolder folder_;
};

TEST_F(AtomicFileTest, ANewFileHasTheModeOfAnyNewFile) {
  mode_t before = ::umask(027);
  put(folder_ / "out", "text");
  ::umask(before);
  EXPECT_EQ(readBytes(folder_ / "out"), "text");
  EXPECT_EQ(statusOf(folder_ / "out").st_mode & 07777, 0640u);
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, WithoutACommitNothingIsLeft) {
  writeBytes(folder_ / "out", "before");
  {
    AtomicFile file(folder_ / "out"), other(folder_ / "new");
    file.write("after", 5);
    other.write("after", 5);
  }
  EXPECT_EQ(readBytes(folder_ / "out"), "before");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, TheModeOfAnExistingFileIsKept) {
  writeBytes(folder_ / "out", "before");
  fs::permissions(folder_ / "out", fs::perms(0751));
  put(folder_ / "out", "after");
  EXPECT_EQ(statusOf(folder_ / "out").st_mode & 07777, 0751u);
  EXPECT_EQ(readBytes(folder_ / "out"), "after");
}

TEST_F(AtomicFileTest, TheOwnerOfAnExistingFileIsKept) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "only root has files of other users";
  writeBytes(folder_ / "out", "before");
  ASSERT_EQ(::chown((folder_ / "out").c_str(), 12345, 23456), 0);
  put(folder_ / "out", "after");
  EXPECT_EQ(statusOf(folder_ / "out").st_uid, 12345u);
  EXPECT_EQ(statusOf(folder_ / "out").st_gid, 23456u);

  // Somebody else's file that one may write: in a folder like /tmp it cannot be replaced either.
  fs::permissions(folder_.path(), fs::perms(01777));
  fs::permissions(folder_ / "out", fs::perms(0666));
  asNobody([&] { put(folder_ / "out", "by nobody"); });
  EXPECT_EQ(statusOf(folder_ / "out").st_uid, 12345u);
  EXPECT_EQ(readBytes(folder_ / "out"), "by nobody");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFileTest, AFileInAFolderThatTakesNoNewOnesIsWritten) {
  if (::geteuid() != 0)
    GTEST_SKIP() << "needs another user";
  writeBytes(folder_ / "out", "before, and longer");
  fs::permissions(folder_ / "out", fs::perms(0666));
  fs::permissions(folder_.path(), fs::perms(0755));
  asNobody([&] { put(folder_ / "out", "after"); });
  EXPECT_EQ(readBytes(folder_ / "out"), "after");
  asNobody([&] {
    expectError(ErrorCode::io, {"cannot write ", "/new: Permission denied"},
                [&] { AtomicFile file(folder_ / "new"); });
  });
  fs::permissions(folder_ / "out", fs::perms(0444));
  asNobody([&] {
    expectError(ErrorCode::io, {"/out: Permission denied"}, [&] { AtomicFile file(folder_ / "out"); });
  });
}

TEST_F(AtomicFileTest, OtherNamesOfAnExistingFileSeeTheNewContent) {
  writeBytes(folder_ / "out", "before, and much longer");
  fs::create_hard_link(folder_ / "out", folder_ / "other");
  put(folder_ / "out", "after");
  EXPECT_EQ(readBytes(folder_ / "other"), "after");
  put(folder_ / "other", "longer than it was");
  EXPECT_EQ(readBytes(folder_ / "out"), "longer than it was");
  EXPECT_EQ(statusOf(folder_ / "out").st_nlink, 2u);
  EXPECT_EQ(files(), 2u);
}

TEST_F(AtomicFileTest, AttributesOfAnExistingFileAreKept) {
  writeBytes(folder_ / "out", "before");
  if (::setxattr((folder_ / "out").c_str(), "user.origin", "here", 4, 0) != 0)
    GTEST_SKIP() << "this file system has no attributes";
  put(folder_ / "out", "after");
  char value[8] = {};
  EXPECT_EQ(::getxattr((folder_ / "out").c_str(), "user.origin", value, sizeof value), 4);
  EXPECT_STREQ(value, "here");
  EXPECT_EQ(readBytes(folder_ / "out"), "after");
}

TEST_F(AtomicFileTest, ALinkIsWrittenThrough) {
  fs::create_directory(folder_ / "there");
  writeBytes(folder_ / "there" / "file", "before");
  fs::create_symlink("there/file", folder_ / "link");
  fs::create_symlink(folder_ / "link", folder_ / "link-to-link");
  put(folder_ / "link-to-link", "after");
  EXPECT_EQ(readBytes(folder_ / "there" / "file"), "after");
  fs::create_symlink("there/new", folder_ / "dangling");
  put(folder_ / "dangling", "new");
  EXPECT_EQ(readBytes(folder_ / "there" / "new"), "new");
  for (const char *link : {"link", "link-to-link", "dangling"})
    EXPECT_TRUE(fs::is_symlink(folder_ / link)) << link;
  EXPECT_EQ(files(), 4u);

  fs::create_symlink("loop", folder_ / "loop");
  expectError(ErrorCode::io, {"loop: its links lead in a circle"},
              [&] { AtomicFile file(folder_ / "loop"); });
}

TEST_F(AtomicFileTest, DevicesStayDevices) {
  put("/dev/null", "text");
  EXPECT_TRUE(S_ISCHR(statusOf("/dev/null").st_mode));
  fs::create_symlink("/dev/null", folder_ / "null");
  put(folder_ / "null", "text");
  EXPECT_TRUE(S_ISCHR(statusOf(folder_ / "null").st_mode));
  expectError(ErrorCode::io, {"cannot write /dev/full: No space left on device"},
              [] { put("/dev/full", "text"); });
}

TEST_F(AtomicFileTest, AFifoIsWrittenToItsReader) {
  fs::path fifo = folder_ / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const std::string text(1 << 20, 'x'); // more than a pipe holds
  std::string got;
  std::thread reader([&] { got = readBytes(fifo); });
  put(fifo, text);
  reader.join();
  EXPECT_EQ(got, text);
  EXPECT_TRUE(S_ISFIFO(statusOf(fifo).st_mode));
}

TEST_F(AtomicFileTest, AFifoThatNobodyReadsIsRefusedSoon) {
  ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
  auto begin = std::chrono::steady_clock::now();
  expectError(ErrorCode::io, {"fifo: no program reads this FIFO; start its reader first"},
              [&] { AtomicFile file(folder_ / "fifo"); });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(10));
}

TEST_F(AtomicFileTest, ADescriptorOfTheProgramIsWrittenWhereItStands) {
  int descriptor = ::open((folder_ / "log").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_GE(descriptor, 0);
  ASSERT_EQ(::write(descriptor, "head ", 5), 5);
  put("/dev/fd/" + std::to_string(descriptor), "middle ");
  fs::create_symlink("/proc/self/fd/" + std::to_string(descriptor), folder_ / "link");
  put(folder_ / "link", "more ");
  ASSERT_EQ(::write(descriptor, "tail", 4), 4);
  ::close(descriptor);
  EXPECT_EQ(readBytes(folder_ / "log"), "head middle more tail");
  EXPECT_EQ(files(), 2u);

  descriptor = ::open((folder_ / "log").c_str(), O_RDONLY);
  expectError(ErrorCode::io, {"Bad file descriptor"},
              [&] { AtomicFile file("/dev/fd/" + std::to_string(descriptor)); });
  ::close(descriptor);
  expectError(ErrorCode::io, {"/dev/fd/999: Bad file descriptor"}, [] { AtomicFile file("/dev/fd/999"); });
}

TEST_F(AtomicFileTest, APlaceThatTakesNoFileIsRefusedBeforeTheWork) {
  writeBytes(folder_ / "file", "");
  std::string at = folder_.path().string();
  for (auto &[path, why] :
       {std::pair(at, "is a folder"), std::pair(at + "/", "is a folder"),
        std::pair(at + "/new/", "is a folder"), std::pair(at + "/none/x", "there is no folder "),
        std::pair(at + "/file/x", "Not a directory"), std::pair(std::string(), "an empty one")})
    expectError(ErrorCode::io, {why}, [&] { AtomicFile file(path); });
  expectError(ErrorCode::io, {"File name too long"},
              [&] { AtomicFile file(folder_ / std::string(300, 'x')); });
  put(folder_ / std::string(255, 'x'), "the longest name");
  EXPECT_EQ(files(), 2u);
}

TEST_F(AtomicFileTest, FoldersAreMadeWhenTheFileIs) {
  fs::path path = folder_.path() / "a" / "b" / "out";
  {
    AtomicFile file(path, AtomicFile::Folders::create);
    EXPECT_EQ(files(), 0u);
    file.write("text", 4);
    file.commit();
  }
  EXPECT_EQ(readBytes(path), "text");
  writeBytes(folder_ / "file", "");
  expectError(ErrorCode::io, {"file"},
              [&] { AtomicFile file(folder_ / "file" / "out", AtomicFile::Folders::create); });
}

TEST_F(AtomicFileTest, AFullDiskLeavesTheFileAsItWas) {
  // A limit of file sizes fails as a full disk does.
  const std::string before(1000, 'b');
  writeBytes(folder_ / "out", before);
  writeBytes(folder_ / "linked", before);
  fs::create_hard_link(folder_ / "linked", folder_ / "other");
  struct rlimit old{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  struct rlimit small{2000, old.rlim_max};
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  for (const char *name : {"out", "linked", "new"})
    expectError(ErrorCode::io, {"File too large"}, [&] { put(folder_ / name, std::string(3000, 'a')); });
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(readBytes(folder_ / "out"), before);
  EXPECT_EQ(readBytes(folder_ / "other"), before);
  EXPECT_EQ(files(), 3u);
}

} // namespace
} // namespace linmu
