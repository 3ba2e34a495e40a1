// Every fault that the emulation reports, on the smallest kernel that has it, at its line.
#include "emulation_fixture.h"
#include <cmath>

namespace linmu::emulation {
namespace {

/// A kernel of the one parameter `Global<f32> y`, of 64 elements, and 32 threads unless `launch` says
/// otherwise. Its body begins at line 2.
Verdict runBody(const std::string &body, Launch launch = {.threads = 32, .sharedBytes = 1024},
                bool initialised = true) {
  Values<float> y(64, 1.0F);
  return run("extern \"C\" __global__ void k(Global<f32> y) {\n" + body + "\n}\n", "k", launch,
             {y.operand(initialised)});
}

TEST(EmulationFaults, Bounds) {
  expectVerdict(runBody("u32 t = thread_index();\nstore_global(y + (t + 33), 1.0f);"), Outcome::error,
                "writes 4 bytes at byte 256 of argument 0, which has 256", 3);
  expectVerdict(runBody("load_global<f32>(y + (-1));"), Outcome::error,
                "reads 4 bytes at byte -4 of argument 0", 2);
  expectVerdict(runBody("store_shared(shared_memory() + 1024, 1u);"), Outcome::error,
                "writes 4 bytes at byte 1024 of shared memory, which has 1024", 2);
  expectVerdict(runBody("copy_async<16>(shared_memory(), y + 64);"), Outcome::error,
                "at byte 256 of argument 0", 2);
  // Dead bytes of a copy are not read, wherever they are.
  EXPECT_EQ(
      toString(runBody("copy_async<16>(shared_memory() + thread_index() * 16, y + 64, 0);\ncopy_commit();")),
      "clean");
}

TEST(EmulationFaults, Alignment) {
  expectVerdict(runBody("load_global<Vector<f32, 4>>(y + 1);"), Outcome::error,
                "which is not aligned to them", 2);
  expectVerdict(runBody("load_shared<u64>(shared_memory() + 4);"), Outcome::error,
                "which is not aligned to them", 2);
  expectVerdict(runBody("copy_async<16>(shared_memory(), y + 2);"), Outcome::error,
                "which is not aligned to 16", 2);
  expectVerdict(runBody("u32 r;\nload_matrix_x1(r, shared_memory() + 8);"), Outcome::error,
                "which is not aligned to them", 3);
  expectVerdict(runBody("store_matrix_x1(shared_memory() + 8, 0);"), Outcome::error,
                "requires rows aligned to 16 bytes", 2);
}

TEST(EmulationFaults, WhatNothingHasWritten) {
  expectVerdict(runBody("load_shared<u32>(shared_memory());"), Outcome::error, "shared memory: thread", 2);
  expectVerdict(runBody("load_global<f32>(y);", {.threads = 32}, /*initialised=*/false), Outcome::error,
                "reads what nothing has written", 2);
}

TEST(EmulationFaults, RegistersThatNothingHasWrittenAreNoNumber) {
  Values<float> y(32);
  std::string text =
      "extern \"C\" __global__ void k(Global<f32> y) {\n  f32 x[2];\n"
      "  if (thread_index() < 16) x[1] = 1.0f;\n  store_global(y + thread_index(), x[1]);\n}\n";
  EXPECT_EQ(toString(run(text, "k", {}, {y.operand()})), "clean");
  EXPECT_EQ(y[3], 1);
  EXPECT_TRUE(std::isnan(y[20]));
}

TEST(EmulationFaults, RacesBetweenWarps) {
  Launch two{.threads = 64, .sharedBytes = 1024};
  std::string write = "Shared s = shared_memory();\nu32 t = thread_index();\n";
  expectVerdict(
      runBody(write + "store_shared(s + t * 4, t);\nif (t < 32) load_shared<u32>(s + (t + 32) * 4);", two),
      Outcome::error, "", 5); // a race, or unwritten yet: by the order
  expectVerdict(runBody(write + "store_shared(s + t % 32 * 4, t);", two), Outcome::error,
                "with no barrier between", 4);
  EXPECT_EQ(toString(runBody(
                write + "store_shared(s + t * 4, t);\nbarrier();\nload_shared<u32>(s + (t ^ 32) * 4);", two)),
            "clean");
  // A read is in the way of a later write, of whichever of many readers.
  for (std::uint64_t seed = 0; seed < 6; ++seed)
    expectVerdict(
        runBody(write + "if (t == 0) store_shared(s, t);\nbarrier();\nload_shared<u32>(s);\nif (t == 40) "
                        "store_shared(s, t);",
                {.threads = 64, .sharedBytes = 1024, .seed = seed}),
        Outcome::error, "with no", anyLine);
}

TEST(EmulationFaults, RacesWithinAWarp) {
  std::string write = "Shared s = shared_memory();\nu32 t = thread_index();\nstore_shared(s + t * 4, t);\n";
  Verdict verdict = runBody(write + "shuffle(t, 0u);\nload_shared<u32>(s + (t ^ 1) * 4);");
  expectVerdict(verdict, Outcome::error, "with no sync_warp or barrier between", 6);
  EXPECT_EQ(toString(runBody(write + "sync_warp();\nload_shared<u32>(s + (t ^ 1) * 4);")), "clean");
  // ldmatrix gives lanes what other lanes' addresses name: they must all be allowed to see it.
  std::string row = "Shared s = shared_memory();\nu32 t = thread_index(), r;\nstore_shared(s + t * 16, "
                    "Vector<u32, 4>{t, t, t, t});\n";
  expectVerdict(runBody(row + "load_matrix_x1(r, s + t * 16);"), Outcome::error,
                "with no sync_warp or barrier between", 5);
  EXPECT_EQ(toString(runBody(row + "sync_warp();\nload_matrix_x1(r, s + t * 16);")), "clean");
}

TEST(EmulationFaults, RacesBetweenBlocks) {
  Launch blocks{.grid = {2, 1, 1}, .threads = 32};
  expectVerdict(runBody("store_global(y + thread_index(), 1.0f);", blocks), Outcome::error,
                "blocks of a launch are not ordered", 2);
  expectVerdict(
      runBody("f32 x = load_global<f32>(y + thread_index());\nif (block_index<0>() == 1) store_global(y + "
              "thread_index(), x);",
              blocks),
      Outcome::error, "blocks of a launch are not ordered", anyLine);
}

TEST(EmulationFaults, Copies) {
  std::string copy = "Shared s = shared_memory();\nu32 t = thread_index();\ncopy_async<4>(s + t * 4, y + "
                     "t);\ncopy_commit();\n";
  expectVerdict(runBody(copy + "load_shared<f32>(s + t * 4);"), Outcome::error,
                "reads before its wait what thread", 6);
  expectVerdict(runBody(copy + "copy_wait<1>();\nload_shared<f32>(s + t * 4);"), Outcome::error,
                "reads before its wait", 7);
  EXPECT_EQ(toString(runBody(copy + "copy_wait<0>();\nload_shared<f32>(s + t * 4);")), "clean");
  expectVerdict(runBody(copy + "store_shared(s + t * 4, 1.0f);"), Outcome::error, "writes before its wait",
                6);
  expectVerdict(runBody(copy + "sync_warp();\ncopy_wait<0>();\nload_shared<f32>(s + (t ^ 1) * 4);"),
                Outcome::error, "reads", 8);
  // The source may not change before the copy has landed.
  expectVerdict(runBody(copy + "sync_warp();\nstore_global(y + (t ^ 1), 2.0f);\ncopy_wait<0>();"),
                Outcome::error, "argument 0: thread", anyLine);
  expectVerdict(runBody("copy_async<4>(shared_memory(), y, 5);"), Outcome::error,
                "at most 4 live bytes, got 5", 2);
}

TEST(EmulationFaults, CopiesLandAsLateAsTheirWaitAllowsAndFillWithZeros) {
  Values<float> y(8);
  for (int i = 0; i < 4; ++i)
    y[i] = 7;
  std::string text = "extern \"C\" __global__ void k(Global<f32> y) {\n"
                     "if (thread_index() != 0) return;\n"
                     "Shared s = shared_memory();\n"
                     "copy_async<16>(s, y, 8);\ncopy_commit();\ncopy_wait<0>();\n"
                     "store_global(y + 4, load_shared<Vector<f32, 4>>(s));\n}\n";
  EXPECT_EQ(toString(run(text, "k", {.threads = 32, .sharedBytes = 16}, {y.operand()})), "clean");
  EXPECT_EQ(y[5], 7);
  EXPECT_EQ(y[6], 0);
  EXPECT_EQ(y[7], 0);
}

TEST(EmulationFaults, LanesThatDoNotTakePartTogether) {
  expectVerdict(runBody("if (lane_index() < 16)\n  shuffle(1u, 0u);\nelse\n  shuffle(1u, 0u);"),
                Outcome::error, "lanes of a warp must take part together", anyLine);
  expectVerdict(runBody("if (lane_index() == 0)\n  return;\nsync_warp();"), Outcome::error,
                "31 threads, 1 first, wait at line 4 for the other lanes of their warp; 1 have ended", 4);
}

TEST(EmulationFaults, Barriers) {
  Launch two{.threads = 64, .sharedBytes = 1024};
  expectVerdict(
      runBody("if (warp_index() == 0)\n  barrier();", two), Outcome::error,
      "32 threads, 0 first, wait at line 3 for barrier 0, to which 32 of 64 have come; 32 have ended", 3);
  expectVerdict(runBody("if (lane_index() < 16)\n  barrier();\nelse\n  barrier();", two), Outcome::error,
                "lanes of warp", anyLine);
  expectVerdict(runBody("barrier(16, 64);", two), Outcome::error, "requires a barrier from 0 to 15, got 16",
                2);
  expectVerdict(runBody("barrier(1, 48);", two), Outcome::error, "requires whole warps", 2);
  expectVerdict(runBody("barrier(1, warp_index() * 32 + 32);", two), Outcome::error, "", 2);
  expectVerdict(runBody("if (lane_index() < 16)\n  barrier(1, 32);", two), Outcome::error,
                "of the 32 lanes of warp", 3);
}

TEST(EmulationFaults, BarrierAnyTellsAllThreads) {
  EXPECT_EQ(toString(runBody(
                "bool any = barrier_any(thread_index() == 17), none = barrier_any(false);\n"
                "store_global(y + thread_index(), any && !none ? 3.0f : load_global<f32>(y + 1000));")),
            "clean");
}

TEST(EmulationFaults, ArchitecturesThatLackAnInstruction) {
  expectVerdict(runBody("fence_proxy_async();", {.threads = 32, .architecture = 80}), Outcome::error,
                "requires sm_90, got sm_80", 2);
  EXPECT_EQ(toString(runBody("fence_proxy_async();")), "clean");
}

TEST(EmulationIncomplete, WhatIsNotModelledNeverPasses) {
  expectVerdict(runBody("asm volatile(\"bar.sync 0;\");"), Outcome::incomplete,
                "the portable prelude does not model this", 2);
  expectVerdict(runBody("__shared__ float s[4];"), Outcome::incomplete, "does not model this", 2);
  expectVerdict(runBody("__syncthreads();"), Outcome::incomplete, "does not model this", 2);
  expectVerdict(runBody("*y = 1.0f;"), Outcome::incomplete, "does not model this", 2);
  expectVerdict(runBody("for (;;)\n  lane_index(), prefetch_global(y), copy_commit();",
                        {.threads = 32, .mostSteps = 10000}),
                Outcome::incomplete, "more than 10000 steps", 3);
  expectVerdict(runBody("store_shared(shared_memory(), u8(1));"), Outcome::incomplete,
                "whose smallest element has 2", 2);
  expectVerdict(run("", "k", {}, {}), Outcome::incomplete, "undeclared identifier 'k'", anyLine);
  EXPECT_EQ(static_cast<int>(emulate("", "k", "/no/such/compiler", {}, {}).outcome),
            static_cast<int>(Outcome::incomplete));
}

TEST(EmulationFaults, LinesAreThoseThatTheTextNames) {
  Verdict verdict = runBody("#line 77 \"cell.mlir\"\nstore_global(y + 64, 1.0f);");
  EXPECT_EQ(verdict.file, "cell.mlir");
  EXPECT_EQ(verdict.line, 77);
}

TEST(EmulationFaults, Arguments) {
  Values<float> y(64);
  std::string text = "extern \"C\" __global__ void k(Global<f32> y, i32 n) {}\n";
  auto with = [&](std::vector<Argument> arguments, Launch launch = {}) {
    return run(text, "k", launch, arguments);
  };
  expectVerdict(with({y.operand()}), Outcome::error, "takes 2 arguments, got 1", 0);
  expectVerdict(with({scalarOf(1), scalarOf(1)}), Outcome::error,
                "argument 0 must be an operand, got a scalar", 0);
  expectVerdict(with({y.operand(), y.operand()}), Outcome::error,
                "argument 1 must be a scalar, got an operand", 0);
  expectVerdict(with({y.operand(), scalarOf(1LL)}), Outcome::error, "argument 1 must have 4 bytes, got 8", 0);
  expectVerdict(with({y.operand(), scalarOf(1)}, {.threads = 48}), Outcome::error, "multiple of 32 threads",
                0);
  Operand shifted = y.operand();
  shifted.bytes = shifted.bytes.subspan(4);
  expectVerdict(with({shifted, scalarOf(1)}), Outcome::error, "argument 0 must be aligned to 16 bytes", 0);
  std::string both = "extern \"C\" __global__ void k(Global<const f32> x, Global<f32> y) {\n"
                     "  store_global(y + thread_index(), load_global<f32>(x + thread_index()) + 1.0f);\n}\n";
  Operand half = y.operand(), rest = y.operand();
  half.bytes = half.bytes.first(128);
  rest.bytes = rest.bytes.subspan(64);
  expectVerdict(run(both, "k", {}, {half, rest}), Outcome::error,
                "argument 1 overlaps argument 0 and is not the same", 0);
  // One memory given twice is in place, and its races are seen.
  EXPECT_EQ(toString(run(both, "k", {}, {y.operand(), y.operand()})), "clean");
  EXPECT_EQ(y[0], 1);
  std::string constant = both;
  constant.replace(constant.find("load_global"), 11, "load_constant");
  expectVerdict(run(constant, "k", {}, {y.operand(), y.operand()}), Outcome::error, "use load_global", 2);
  std::string neighbour = both;
  neighbour.replace(neighbour.find("x + thread_index()"), 18, "x + (thread_index() ^ 1)");
  expectVerdict(run(neighbour, "k", {}, {y.operand(), y.operand()}), Outcome::error, "with no sync_warp", 2);
}

/// As the views of one tensor that a projection makes are.
TEST(EmulationFaults, OperandsThatAreOnlyReadMayOverlap) {
  Values<float> x(48, 2.0F), z(32);
  std::string text =
      "extern \"C\" __global__ void k(Global<const f32> x, Global<const f32> y, Global<f32> z) {\n"
      "  store_global(z + thread_index(), load_global<f32>(x + thread_index()) + "
      "load_global<f32>(y + thread_index()));\n}\n";
  Operand first = x.operand(), second = x.operand();
  first.bytes = first.bytes.first(128);
  second.bytes = second.bytes.subspan(64);
  EXPECT_EQ(toString(run(text, "k", {}, {first, second, z.operand(false)})), "clean");
  EXPECT_EQ(z[31], 4);
  expectVerdict(run(text, "k", {}, {first, z.operand(), second}), Outcome::error,
                "argument 2 overlaps argument 0 and is not the same", 0);
}

TEST(EmulationFaults, OperandsThatAreReachedByTheirNumbers) {
  Values<float> x(32, 2.0F), y(32);
  struct Words {
    std::int64_t numbers[2];
  };
  auto text = [](const std::string &read) {
    return "struct Words { i64 numbers[2]; };\nextern \"C\" __global__ void k(Words words) {\n"
           "  Global<const f32> x = {{u32(words.numbers[0]), 0}};\n  Global<f32> y = "
           "{{u32(words.numbers[1]), 0}};\n"
           "  store_global(y + thread_index(), load_constant<f32>(" +
           read + " + thread_index()));\n}\n";
  };
  Operand input = x.operand(), output = y.operand(false);
  input.written = false;
  std::vector<Argument> arguments = {scalarOf(Words{{1, 2}}), input, output};
  EXPECT_EQ(toString(run(text("x"), "k", {}, arguments)), "clean");
  EXPECT_EQ(y[31], 2);
  expectVerdict(run(text("y"), "k", {}, arguments), Outcome::error, "load_constant reads argument 2", 5);
  arguments[0] = scalarOf(Words{{2, 1}});
  expectVerdict(run(text("x"), "k", {}, arguments), Outcome::error, "", 5);
  arguments[0] = scalarOf(Words{{1, 3}});
  expectVerdict(run(text("x"), "k", {}, arguments), Outcome::error, "something that is no operand", 5);
  arguments[0] = scalarOf(Words{{1, 2}});
  arguments.push_back(scalarOf(1));
  expectVerdict(run(text("x"), "k", {}, arguments), Outcome::error, "takes 1 arguments, got 4", 0);
}

} // namespace
} // namespace linmu::emulation
