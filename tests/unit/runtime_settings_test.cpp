#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include <cstdio>
#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

using namespace linmu;

namespace {

TEST(Settings, ScopedSettingsNestAndEndWithTheirScope) {
  int outside = Settings::current().threads;
  {
    ScopedSettings outer({3, "/outer", true});
    EXPECT_EQ(Settings::current().threads, 3);
    {
      ScopedSettings inner({5, "/inner", false});
      EXPECT_EQ(Settings::current().threads, 5);
      EXPECT_FALSE(Settings::current().disk_cache);
    }
    EXPECT_EQ(Settings::current().cache_dir, "/outer");
  }
  EXPECT_EQ(Settings::current().threads, outside);
}

TEST(Settings, ScopedSettingsHoldForOneThreadOnly) {
  int outside = Settings::current().threads, seen = -1;
  ScopedSettings scope({outside + 7, "/x", true});
  std::thread([&] { seen = Settings::current().threads; }).join();
  EXPECT_EQ(seen, outside);
}

TEST(Settings, EveryFieldIsDescribedByItsVariable) {
  std::vector<SettingDescription> rows =
      describe({4, "/cache", false, 64, "/driver.so", "/nvrtc.so", true, "/torch"});
  ASSERT_EQ(rows.size(), 8u);
  EXPECT_EQ(rows[0].variable + "=" + rows[0].value, "LINMU_THREADS=4");
  EXPECT_EQ(rows[1].variable + "=" + rows[1].value, "LINMU_CACHE_DIR=/cache");
  EXPECT_EQ(rows[2].variable + "=" + rows[2].value, "LINMU_DISK_CACHE=0");
  EXPECT_EQ(rows[3].variable + "=" + rows[3].value, "LINMU_MEMORY_CACHE=64");
  EXPECT_EQ(rows[4].variable + "=" + rows[4].value, "LINMU_CUDA_DRIVER=/driver.so");
  EXPECT_EQ(rows[5].variable + "=" + rows[5].value, "LINMU_NVRTC=/nvrtc.so");
  EXPECT_EQ(rows[6].variable + "=" + rows[6].value, "LINMU_CHECK_TABLES=1");
  EXPECT_EQ(rows[7].variable + "=" + rows[7].value, "LINMU_TORCH_DIR=/torch");
}

/// A process of its own, since the environment is read once.
void expectRefused(const char *variable, const char *value, const char *message) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        setenv(variable, value, 1);
        try {
          Settings::current();
        } catch (const Error &error) {
          std::fputs(error.what(), stderr);
          std::exit(error.code() == ErrorCode::invalidArgument ? 3 : 4);
        }
        std::exit(0);
      },
      testing::ExitedWithCode(3), testing::Eq(message));
}

TEST(Settings, VariablesThatDoNotParseAreNamed) {
  expectRefused("LINMU_THREADS", "many",
                "environment variable LINMU_THREADS: expected a number from 0 to 4096, got 'many'");
  expectRefused("LINMU_THREADS", "4097",
                "environment variable LINMU_THREADS: expected a number from 0 to 4096, got '4097'");
  expectRefused("LINMU_MEMORY_CACHE", "-1",
                "environment variable LINMU_MEMORY_CACHE: expected a number from 0 to 1048576, got '-1'");
  expectRefused("LINMU_MEMORY_CACHE", "64M",
                "environment variable LINMU_MEMORY_CACHE: expected a number from 0 to 1048576, got '64M'");
  expectRefused("LINMU_CHECK_TABLES", "yes",
                "environment variable LINMU_CHECK_TABLES: expected 0 or 1, got 'yes'");
  expectRefused("LINMU_DISK_CACHE", "yes",
                "environment variable LINMU_DISK_CACHE: expected 0 or 1, got 'yes'");
}

} // namespace
