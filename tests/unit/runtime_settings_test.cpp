#include "runtime/core/settings.h"
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
  std::vector<SettingDescription> rows = describe({4, "/cache", false});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0].variable + "=" + rows[0].value, "LINMU_THREADS=4");
  EXPECT_EQ(rows[1].variable + "=" + rows[1].value, "LINMU_CACHE_DIR=/cache");
  EXPECT_EQ(rows[2].variable + "=" + rows[2].value, "LINMU_DISK_CACHE=0");
}

} // namespace
