#include "runtime/core/code_image.h"
#include "runtime/core/content_check.h"
#include "runtime/core/cpu_features.h"
#include "runtime/core/error.h"
#include "runtime/core/executor.h"
#include "runtime/core/launch_frame.h"
#include "runtime/core/settings.h"
#include "runtime/core/thread_pool.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace linmu {

namespace {

// Waking a sleeping worker and waiting for it costs about this much.
constexpr double nanoseconds_worth_a_wake = 20000;

// Before a kernel has been timed: so few tokens are a decode step.
constexpr std::int64_t decode_tokens = 4;

/// How long a block of one launch takes, learnt from the launches so far, so that small ones stay on the
/// calling thread.
class BlockCost {
public:
  /// Whether the launch's grid grows with the tokens: then a block has its fixed share of them, and any other
  /// may walk all of them.
  void shareTokens(bool share) { shares_tokens_ = share; }
  bool isWorthThreads(std::int64_t blocks, const Symbols &symbols) const {
    double known = nanoseconds_.load(std::memory_order_relaxed);
    if (known < 0)
      return symbols.tokens > decode_tokens;
    return known * double(blocks) * unit(symbols) > nanoseconds_worth_a_wake;
  }
  /// Takes a faster measurement at once and a slower one by degrees: it may have been interrupted.
  void learn(std::int64_t blocks, const Symbols &symbols, double nanoseconds) {
    double known = nanoseconds_.load(std::memory_order_relaxed);
    double measured = nanoseconds / double(blocks) / unit(symbols);
    nanoseconds_.store(known < 0 ? measured : std::min(measured, known * 1.25 + 1),
                       std::memory_order_relaxed);
  }

private:
  /// Of a ragged batch a block walks a sequence's share of the tokens.
  double unit(const Symbols &symbols) const {
    if (shares_tokens_)
      return 1;
    return std::max(double(symbols.tokens) / double(std::max<std::int64_t>(symbols.sequences, 1)), 1.0);
  }
  std::atomic<double> nanoseconds_{-1};
  bool shares_tokens_ = false;
};

int numberOfCores() {
  static const int cores = int(std::max(1u, std::thread::hardware_concurrency()));
  return cores;
}

void checkTarget(const Package &package) {
  std::string_view target = package.target;
  std::string_view expected = architecture();
  if (!target.starts_with("cpu:") || !target.substr(4).starts_with(expected))
    throw Error(ErrorCode::unsupported, "pattern '" + package.signature.name +
                                            "': expected code for cpu:" + std::string(expected) +
                                            ", got code for '" + package.target + "'");
  for (const std::string &feature : package.cpu_features)
    if (!cpuHas(feature))
      throw Error(ErrorCode::unsupported,
                  "pattern '" + package.signature.name + "' was compiled for a CPU with the feature '" +
                      feature + "', which this machine lacks",
                  "compile it on this machine");
}

std::span<const std::byte> codeOf(const Package &package) {
  return package.images.empty() ? std::span<const std::byte>() : package.images.front().code;
}

class CpuExecutor final : public Executor {
public:
  explicit CpuExecutor(const Package &package) : package_(package), image_(codeOf(package)) {
    std::size_t launches = 0;
    for (const Variant &variant : package.variants) {
      first_cost_.push_back(launches);
      launches += variant.launches.size();
    }
    costs_ = std::vector<BlockCost>(launches);
    std::size_t cost = 0;
    for (const Variant &variant : package.variants)
      for (const Launch &launch : variant.launches)
        costs_[cost++].shareTokens(
            std::any_of(launch.grid.begin(), launch.grid.end(), [&](ExpressionId extent) {
              return package.expressions[extent].uses(Expression::Term::tokens);
            }));
  }

  Device::Kind deviceKind() const override { return Device::cpu; }
  bool readsTables() const override { return true; }

  void run(std::size_t variant, const Symbols &symbols, std::span<const TensorView> inputs,
           std::span<const TensorView> results, const LaunchOptions &options) const override {
    checkContents(package_.signature, symbols, inputs);
    int threads = options.threads > 0 ? options.threads : Settings::current().threads;
    if (threads <= 0)
      threads = numberOfCores();
    LaunchFrame &frame = LaunchFrame::ofThisThread();
    frame.fill(package_, symbols, inputs, results);
    frame.useOwnMemory(package_, symbols);
    std::size_t cost = first_cost_[variant];
    for (const Launch &launch : package_.variants[variant].launches)
      runLaunch(launch, costs_[cost++], frame, symbols, threads);
  }

private:
  void runLaunch(const Launch &launch, BlockCost &cost, LaunchFrame &frame, const Symbols &symbols,
                 int threads) const {
    std::int64_t blocks = frame.blocksOf(launch);
    if (blocks <= 0)
      return;
    BlockWork work{image_.function(launch.entry), frame.arguments(package_, launch), blocks,
                   launch.workspace_bytes, launch.blocks_together};
    if (package_.expressions[launch.grid.back()] == Expression::of(Expression::Term::sequences))
      work.blocks_alike = blocks / symbols.sequences;
    ThreadPool &pool = ThreadPool::instance();
    if (blocks == 1 || threads <= 1) {
      pool.run(work, 1);
      return;
    }
    auto start = std::chrono::steady_clock::now();
    std::int64_t taken = pool.run(work, cost.isWorthThreads(blocks, symbols) ? threads : 1);
    std::chrono::duration<double, std::nano> elapsed = std::chrono::steady_clock::now() - start;
    if (taken > 0)
      cost.learn(taken, symbols, elapsed.count());
  }

  const Package &package_;
  CodeImage image_;
  std::vector<std::size_t> first_cost_;  // of each variant
  mutable std::vector<BlockCost> costs_; // one a launch, in the order of the variants
};

} // namespace

std::unique_ptr<const Executor> openOnCpu(const Package &package) {
  checkTarget(package);
  return std::make_unique<const CpuExecutor>(package);
}

} // namespace linmu
