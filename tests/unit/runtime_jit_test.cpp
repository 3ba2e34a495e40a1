// The caches, over a compiler that compiles one toy language: "<name of x> <name of y> <revision>".
#include "quiet_moment.h"
#include "runtime/core/settings.h"
#include "runtime/jit/jit.h"
#include "tests/unit/runtime_fixture.h"
#include <atomic>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <sstream>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace linmu;
using namespace linmu::test;

namespace {

std::atomic<int> parses{0}, compilations{0};
std::string build_identity = "build 1";

Package parsed(std::string_view source, const compiler::Options &options) {
  ++parses;
  std::istringstream words{std::string(source)};
  std::string x, y, revision;
  words >> x >> y >> revision;
  Package package = addPackage();
  package.signature.inputs[0].name = x;
  package.signature.inputs[1].name = y;
  package.key = "ab" + revision;
  for (auto &[name, value] : options.schedule)
    package.key += value;
  return package;
}

compiler::Bytes fakeSignature(std::string_view source, const compiler::Options &options) {
  if (source.find("bad") != source.npos)
    return {false, {}, options.filename + ":1:1: error: expected a pattern\n"};
  Package package = parsed(source, options);
  package.variants = {{}};
  package.images.clear();
  return {true, serialize(package), ""};
}

compiler::Bytes fakeCompile(std::string_view source, const compiler::Options &options) {
  ++compilations;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  Package package = parsed(source, options);
  if (source.ends_with("under another key"))
    package.key = "ab9";
  if (source.ends_with("of another type"))
    package.signature.inputs[0].dtype = DType::f16;
  return {true, serialize(package), ""};
}

compiler::Text fakeExplain(std::string_view source, const compiler::Options &options, bool json) {
  if (source.find("bad") != source.npos)
    return {false, "", options.filename + ":1:1: error: expected a pattern\n"};
  return {true, json ? "{}" : "normal form", ""};
}

std::string fakeIdentity() { return build_identity; }

class JitCache : public testing::Test {
protected:
  JitCache() {
    char name[] = "/tmp/linmu_jit_test.XXXXXX";
    folder = std::filesystem::path(mkdtemp(name)) / "cache";
    scope.emplace(Settings{0, folder, true});
    parses = compilations = 0;
    build_identity = "build 1";
  }
  ~JitCache() override { std::filesystem::remove_all(folder.parent_path()); }

  static jit::CompilerTable table() { return {&fakeSignature, &fakeCompile, &fakeExplain, &fakeIdentity}; }

  /// A process of its own, as far as the caches go.
  struct Process {
    jit::Jit jit{table()};
    Kernel compile(const std::string &source, CompileOptions options = {}) {
      return jit.compile(source, options);
    }
    std::string counts() {
      CompileStatistics s = jit.statistics();
      std::ostringstream text;
      text << s.compiled << " compiled, " << s.disk_hits << " disk, " << s.memory_hits << " memory, "
           << s.corrupt_entries << " corrupt, " << s.unwritten_entries << " unwritten";
      return text.str();
    }
  };

  std::vector<std::filesystem::path> files(const std::string &extension) {
    std::vector<std::filesystem::path> found;
    for (auto &entry : std::filesystem::directory_iterator(folder))
      if (entry.path().extension() == extension)
        found.push_back(entry.path());
    return found;
  }

  static void runs(const Kernel &kernel) {
    std::vector<float> x(12, 1.0f), y(12, 2.0f), out(12);
    kernel(std::array{view(x.data(), {1, 1, 3, 4}), view(y.data(), {1, 1, 3, 4})},
           std::array{view(out.data(), {1, 1, 3, 4})});
    EXPECT_EQ(out, std::vector<float>(12, 3.0f));
  }

  std::filesystem::path folder;
  std::optional<ScopedSettings> scope;
};

TEST_F(JitCache, TheSecondCallInAProcessComesFromMemoryWithoutParsing) {
  Process process;
  runs(process.compile("x y 1"));
  parses = 0;
  runs(process.compile("x y 1"));
  EXPECT_EQ(parses, 0);
  EXPECT_EQ(process.counts(), "1 compiled, 0 disk, 1 memory, 0 corrupt, 0 unwritten");
}

TEST_F(JitCache, MemoryForgetsTheTextsThatWereAskedForLongestAgo) {
  scope.reset();
  scope.emplace(Settings{0, folder, true, 1});
  Process process;
  const std::string padding(100000, ' ');
  for (int i = 0; i < 30; ++i) {
    process.compile("x y " + std::to_string(i) + padding);
    EXPECT_LE(process.jit.statistics().memory_bytes, (1 << 20) + 200000); // and the one in hand
  }
  EXPECT_GT(process.jit.statistics().memory_bytes, 1 << 19);
  EXPECT_EQ(process.counts(), "30 compiled, 0 disk, 0 memory, 0 corrupt, 0 unwritten");
  process.compile("x y 29" + padding);
  EXPECT_EQ(process.counts(), "30 compiled, 0 disk, 1 memory, 0 corrupt, 0 unwritten");
  runs(process.compile("x y 0" + padding));
  EXPECT_EQ(process.jit.statistics().disk_hits, 1);
}

TEST_F(JitCache, AFreshProcessComesFromDiskWithoutParsing) {
  Process().compile("x y 1");
  parses = 0;
  double seconds = leastSeconds(5e-3, 1, [] {
    Process fresh;
    runs(fresh.compile("x y 1"));
    EXPECT_EQ(fresh.counts(), "0 compiled, 1 disk, 0 memory, 0 corrupt, 0 unwritten");
  });
  EXPECT_EQ(parses, 0);
  EXPECT_LT(seconds, 5e-3);
}

TEST_F(JitCache, RenamedOperandsUseTheSameCodeUnderTheirNewNames) {
  Process().compile("x y 1");
  Process fresh;
  Kernel renamed = fresh.compile("query key 1");
  EXPECT_EQ(renamed.signature().inputs[0].name, "query");
  EXPECT_EQ(fresh.counts(), "0 compiled, 1 disk, 0 memory, 0 corrupt, 0 unwritten");
  Kernel again = fresh.compile("left right 1");
  EXPECT_EQ(again.signature().inputs[1].name, "right");
  EXPECT_EQ(fresh.counts(), "0 compiled, 1 disk, 1 memory, 0 corrupt, 0 unwritten");
  EXPECT_EQ(Process().compile("query key 1").signature().inputs[1].name, "key");
  runs(renamed);
  runs(again);
}

TEST_F(JitCache, AnotherPatternScheduleOrBuildIsCompiledAnew) {
  Process process;
  process.compile("x y 1");
  process.compile("x y 2");
  CompileOptions options;
  options.schedule = {{"chunk", "32"}};
  process.compile("x y 1", options);
  EXPECT_EQ(process.counts(), "3 compiled, 0 disk, 0 memory, 0 corrupt, 0 unwritten");
  build_identity = "build 2";
  parses = 0;
  Process().compile("x y 1");
  EXPECT_GT(parses, 0) << "the index of another build was trusted";
}

TEST_F(JitCache, WithoutTheDiskCacheNothingIsWritten) {
  CompileOptions options;
  options.use_disk_cache = false;
  Process process;
  process.compile("x y 1", options);
  EXPECT_FALSE(std::filesystem::exists(folder));
  scope.reset();
  scope.emplace(Settings{0, folder, false});
  process.compile("x y 2");
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(JitCache, EveryDamagedByteOfEitherFileIsRecompiledAndRepaired) {
  Process().compile("x y 1");
  for (const char *extension : {".lmk", ".index"}) {
    std::filesystem::path path = files(extension).at(0);
    std::ifstream in(path, std::ios::binary);
    std::string good{std::istreambuf_iterator<char>(in), {}};
    for (std::size_t at = 0; at < good.size(); at += 7) {
      std::string bad = good;
      bad[at] ^= 0x10;
      std::ofstream(path, std::ios::binary) << bad;
      Process process;
      runs(process.compile("x y 1"));
      ASSERT_EQ(process.jit.statistics().corrupt_entries, 1) << path << " " << at;
      Process after;
      after.compile("x y 1");
      ASSERT_EQ(after.counts(), "0 compiled, 1 disk, 0 memory, 0 corrupt, 0 unwritten") << path << " " << at;
    }
    for (std::size_t length : {std::size_t(0), std::size_t(10), good.size() / 2, good.size() - 1}) {
      std::ofstream(path, std::ios::binary) << good.substr(0, length);
      Process process;
      runs(process.compile("x y 1"));
      ASSERT_EQ(process.jit.statistics().corrupt_entries, 1) << path << " " << length;
    }
  }
}

TEST_F(JitCache, AnEntryUnderAnotherPatternsKeyIsNotRun) {
  Process().compile("x y 1");
  Process().compile("x y 2");
  std::filesystem::copy_file(folder / "ab1.lmk", folder / "ab2.lmk",
                             std::filesystem::copy_options::overwrite_existing);
  Process process;
  process.compile("x y 2");
  EXPECT_EQ(process.counts(), "1 compiled, 0 disk, 0 memory, 1 corrupt, 0 unwritten");
}

TEST_F(JitCache, ACompilerThatContradictsItselfIsRefusedAndNothingIsStored) {
  const auto refused = [](const std::string &source, ErrorCode code, const char *message) {
    Error error = errorOf([&] { Process().compile(source); });
    EXPECT_EQ(error.code(), code);
    EXPECT_STREQ(error.what(), message);
  };
  refused("x y ../1", ErrorCode::internal, "the compiler's key 'ab../1' is no file name");
  refused("x y 1 under another key", ErrorCode::corruptFile,
          "the compiler's package: expected the key ab1, got ab9");
  refused("x y 1 of another type", ErrorCode::corruptFile,
          "the compiler's package: the signature is not that of the pattern");
  EXPECT_TRUE(files(".lmk").empty());
}

TEST_F(JitCache, ThreadsThatAskAtOnceCompileOnce) {
  Process process;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      ScopedSettings settings({0, folder, true});
      runs(process.compile(i % 2 ? "x y 1" : "a b 1"));
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(compilations, 1);
}

TEST_F(JitCache, ProcessesThatRaceNeverSeeHalfAFile) {
  std::vector<pid_t> children;
  for (int child = 0; child < 6; ++child)
    if (pid_t id = fork(); id == 0) {
      bool damaged = false;
      for (int round = 0; round < 40; ++round) {
        Process process;
        process.compile("x y " + std::to_string(round % 3));
        damaged |= process.jit.statistics().corrupt_entries != 0;
        if (child % 2 == 0)
          std::filesystem::remove(folder / ("ab" + std::to_string(round % 3) + ".lmk"));
      }
      _exit(damaged ? 1 : 0);
    } else {
      children.push_back(id);
    }
  for (pid_t child : children) {
    int status = -1;
    waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
  }
  for (auto &entry : std::filesystem::directory_iterator(folder))
    EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << entry.path();
}

TEST_F(JitCache, TheFolderIsPrivate) {
  Process().compile("x y 1");
  struct stat status{};
  ASSERT_EQ(stat(folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  ASSERT_EQ(stat((folder / "ab1.lmk").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(JitCache, AFolderThatOthersCanWriteIsRefused) {
  std::filesystem::create_directories(folder);
  chmod(folder.c_str(), 0770);
  Error error = errorOf([&] { Process().compile("x y 1"); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_EQ(std::string(error.what()),
            "kernel cache folder '" + folder.string() +
                "': expected a folder that only its owner can write (mode 0700), got "
                "mode 0770");
  EXPECT_NE(error.hint().find("LINMU_CACHE_DIR"), std::string::npos);
}

TEST_F(JitCache, AFolderOfAnotherUserIsRefused) {
  if (geteuid() != 0)
    GTEST_SKIP() << "only root can make a folder of another user";
  std::filesystem::create_directories(folder);
  chmod(folder.c_str(), 0700);
  ASSERT_EQ(chown(folder.c_str(), 12345, 12345), 0);
  EXPECT_EQ(std::string(errorOf([&] { Process().compile("x y 1"); }).what()),
            "kernel cache folder '" + folder.string() + "': expected to belong to user 0, got user 12345");
}

TEST_F(JitCache, TheFolderIsCreatedPrivateHoweverItIsSpeltWhateverTheUmask) {
  scope.reset();
  std::filesystem::create_directories(folder);
  std::filesystem::create_directory_symlink("behind-link", folder / "link");
  const auto start = std::filesystem::current_path();
  std::filesystem::current_path(folder);
  struct Spelling {
    std::filesystem::path given, made;
  };
  for (mode_t mask : {0, 022, 0077, 0777}) {
    int number = 0;
    for (const Spelling &spelling :
         {Spelling{folder / "plain", "plain"}, Spelling{folder / "slash/", "slash"},
          Spelling{folder / "slashes//", "slashes"}, Spelling{"relative", "relative"},
          Spelling{"./dot/.", "dot"}, Spelling{"aside/../up", "up"},
          Spelling{"deep/er/cache/", "deep/er/cache"}, Spelling{"link", "behind-link"},
          Spelling{"link/below/", "behind-link/below"}}) {
      const mode_t before = umask(mask);
      scope.emplace(Settings{0, spelling.given, true});
      Process().compile("x y " + std::to_string(++number));
      scope.reset();
      umask(before);
      for (auto made = spelling.made; !made.empty(); made = made.parent_path()) {
        struct stat status{};
        ASSERT_EQ(stat(made.c_str(), &status), 0) << spelling.given;
        EXPECT_EQ(status.st_mode & 07777, 0700u) << made << ", umask " << mask;
      }
      EXPECT_FALSE(std::filesystem::is_empty(spelling.made));
    }
    for (const auto &entry : std::filesystem::directory_iterator(folder))
      if (!entry.is_symlink())
        std::filesystem::remove_all(entry.path());
  }
  std::filesystem::current_path(start);
}

TEST_F(JitCache, AFileInPlaceOfTheFolderIsRefused) {
  std::ofstream(folder) << "text";
  EXPECT_EQ(std::string(errorOf([&] { Process().compile("x y 1"); }).what()),
            "kernel cache folder '" + folder.string() + "': cannot be opened: Not a directory");
}

TEST_F(JitCache, AFolderThatCannotBeMadeIsNamed) {
  scope.reset();
  scope.emplace(Settings{0, "/proc/none/cache", true});
  Error error = errorOf([&] { Process().compile("x y 1"); });
  EXPECT_EQ(error.code(), ErrorCode::io);
  EXPECT_STREQ(error.what(),
               "kernel cache folder '/proc/none/cache': cannot be created: No such file or directory");
}

TEST_F(JitCache, DiagnosticsBecomeOneErrorAndLeaveNothing) {
  CompileOptions options;
  options.filename = "scan.mlir";
  Process process;
  Error error = errorOf([&] { process.compile("bad", options); });
  EXPECT_EQ(error.code(), ErrorCode::invalidPattern);
  EXPECT_STREQ(error.what(), "scan.mlir:1:1: error: expected a pattern");
  EXPECT_TRUE(files(".lmk").empty() && files(".index").empty());
  EXPECT_STREQ(errorOf([&] { process.jit.explain("bad", options, false); }).what(),
               "scan.mlir:1:1: error: expected a pattern");
  EXPECT_EQ(process.jit.explain("x y 1", options, true), "{}");
}

} // namespace
