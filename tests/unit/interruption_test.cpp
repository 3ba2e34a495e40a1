// Signals, and a mapped file that is shortened: how a program ends, and what it leaves.
#include "runtime/io/atomic_file.h"
#include "runtime/io/interruption.h"
#include "runtime/io/mapped_file.h"
#include "runtime/io/mapping_fault.h"
#include "tests/unit/temporary_folder.h"
#include <csignal>
#include <filesystem>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace linmu {
namespace {

/// The status of a child process that runs `action`, which should not return.
template <typename Action> int statusOfChild(Action action) {
  pid_t child = ::fork();
  if (child == 0) {
    // A shell without job control starts background jobs with interrupts ignored.
    for (int signal : {SIGINT, SIGTERM, SIGHUP})
      std::signal(signal, SIG_DFL);
    action();
    ::_exit(77);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  return WEXITSTATUS(status);
}

TEST(Interruption, EndsWithTheShellsStatusAndLeavesNothing) {
  test::TemporaryFolder folder;
  for (auto [signal, expected] : {std::pair(SIGINT, 130), std::pair(SIGTERM, 143), std::pair(SIGHUP, 129)}) {
    EXPECT_EQ(statusOfChild([&, signal = signal] {
                endOnSignals();
                AtomicFile file(folder / "out"), other(folder / "other");
                file.write("half", 4);
                other.write("half", 4);
                ::raise(signal);
              }),
              expected);
    EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  }
}

TEST(Interruption, WaitsForAStepThatMustNotBeCut) {
  test::TemporaryFolder folder;
  EXPECT_EQ(statusOfChild([&] {
              endOnSignals();
              Uninterrupted scope;
              ::raise(SIGINT);
              {
                Uninterrupted inner;
              }
              test::writeBytes(folder / "out", "whole");
            }),
            130);
  EXPECT_EQ(test::readBytes(folder / "out"), "whole");
}

TEST(Interruption, AWaitIsSaid) {
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  EXPECT_EQ(statusOfChild([&] {
              ::dup2(pipe[1], STDERR_FILENO);
              endOnSignals();
              Uninterrupted scope;
              {
                WaitingNotice notice("the rest of a step\n");
                ::raise(SIGTERM);
              }
              ::raise(SIGTERM); // nothing to say
            }),
            143);
  ::close(pipe[1]);
  char text[1000] = {};
  EXPECT_GT(::read(pipe[0], text, sizeof text - 1), 0);
  ::close(pipe[0]);
  EXPECT_EQ(std::string(text), "the rest of a step\n");
}

TEST(Interruption, WhatTheCallerIgnoresStaysIgnored) {
  EXPECT_EQ(statusOfChild([] {
              std::signal(SIGHUP, SIG_IGN);
              endOnSignals();
              ::raise(SIGHUP);
              ::_exit(5);
            }),
            5);
}

TEST(MappingFault, AFileThatIsShortenedIsNamed) {
  test::TemporaryFolder folder;
  test::writeBytes(folder / "file", std::string(100'000, 'x'));
  int pipe[2];
  ASSERT_EQ(::pipe(pipe), 0);
  EXPECT_EQ(statusOfChild([&] {
              ::dup2(pipe[1], STDERR_FILENO);
              reportMappingFaults("program");
              MappedFile file(folder / "file");
              std::filesystem::resize_file(folder / "file", 10);
              ::_exit(int(file.bytes()[90'000]));
            }),
            1);
  ::close(pipe[1]);
  char text[1000] = {};
  EXPECT_GT(::read(pipe[0], text, sizeof text - 1), 0);
  ::close(pipe[0]);
  EXPECT_EQ(std::string(text), "program: error: " + (folder / "file").string() +
                                   " was shortened by another program while it was read\n");
}

} // namespace
} // namespace linmu
