// linmu demo: a real clip through a real language model, as it is (teacher) and converted to LinMU.
#include "models/decoder/threads.h"
#include "models/generate/generate.h"
#include "models/media/clip_tokens.h"
#include "models/media/video_reader.h"
#include "models/mmate/convert.h"
#include "models/mmate/kernel_check.h"
#include "models/report/html_report.h"
#include "models/report/line_chart.h"
#include "models/report/progress_bar.h"
#include "models/tools/commands.h"
#include "runtime/core/error.h"
#include "runtime/core/settings.h"
#include "runtime/io/atomic_file.h"
#include "runtime/io/standard_streams.h"
#include "runtime/jit/compile.h"
#include <chrono>
#include <cstdint>
#include <fmt/format.h>

namespace linmu::tools {
namespace {

using models::Decoder;

struct Arguments {
  std::string model, video, out = "linmu-demo/report.html", preset = "safe";
  bool full = false;
};

struct Measurement {
  std::int64_t tokens = 0;
  double first_token = 0; ///< s
  double kernels = 0;     ///< s of it in M-MATE's kernels
  double decode_rate = 0; ///< tokens/s
  double state_bytes = 0;
};

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

constexpr const char *notDistilled = "LinMU here is the converted model before distillation: it has the "
                                     "teacher's weights and has learnt nothing yet, so "
                                     "speed and memory are those of the final model, its answers are not. "
                                     "The video tokens come from a fixed transform "
                                     "of the pictures, not from a trained encoder.";

/// The clip as `count` tokens between nothing and a text prompt: embeddings [1, count + text, d].
struct Prompt {
  torch::Tensor embeddings;
  models::SequenceLayout layout;
};

Prompt makePrompt(const models::LanguageModel &model, const std::string &video, std::int64_t count) {
  torch::Tensor table = model.decoder.embedding().dense();
  double rms = table.square().mean().sqrt().item<double>();
  media::PatchTokenizer tokenizer(int(table.size(1)));
  media::VideoTokens tokens = media::tokenizeClip(video, int(count), tokenizer, rms);
  torch::Tensor vision = torch::from_blob(tokens.values.data(), {1, count, tokens.width}).clone();
  auto ids = model.tokenizer.encode("\nDescribe the video.\n");
  torch::Tensor text =
      model.decoder.embed(torch::tensor(std::vector<std::int64_t>(ids.begin(), ids.end())).unsqueeze(0));
  Prompt prompt{torch::cat({vision, text}, 1), {}};
  prompt.layout.tokens = prompt.embeddings.size(1);
  prompt.layout.media.push_back({0, tokens.grid.t, tokens.grid.h, tokens.grid.w});
  return prompt;
}

const models::MMateKernels &kernelsOf(const Decoder &student) {
  return static_cast<models::MMate &>(*student.layers()[0].mixer).shared().kernels;
}

/// `kernels` are those of the decoder, if it has any.
Measurement measure(const Decoder &decoder, const Prompt &prompt, const models::MMateKernels *kernels) {
  Measurement result;
  result.tokens = prompt.layout.tokens;
  models::DecoderState state = decoder.initialState(1);
  if (kernels)
    kernels->observe([&](const models::KernelCall &call) { result.kernels += call.seconds; });
  double start = seconds();
  torch::Tensor next = decoder.forwardEmbeddings(prompt.embeddings, prompt.layout, state).argmax(-1);
  result.first_token = seconds() - start;
  if (kernels)
    kernels->observe({});
  result.state_bytes = double(state.bytes());
  constexpr int warm = 2, timed = 12;
  for (int step = 0; step < warm + timed; ++step) {
    if (step == warm)
      start = seconds();
    next = decoder.forward(next, state).argmax(-1);
  }
  result.decode_rate = timed / (seconds() - start);
  return result;
}

void checkOnClip(const Decoder &student, const Prompt &prompt, report::HtmlReport &page) {
  // Two layers cover both window shifts and two of the orders; the interpreter is exact and slow.
  auto checks = models::checkKernels(kernelsOf(student), [&] {
    for (int index = 0; index < 2; ++index) {
      const models::DecoderLayer &layer = student.layers()[index];
      torch::Tensor hidden =
          models::rmsNorm(prompt.embeddings, layer.mixer_norm, student.config().rms_epsilon);
      auto state = layer.mixer->initialState(1);
      layer.mixer->forward({hidden, torch::arange(prompt.layout.tokens), prompt.layout}, *state);
    }
  });
  report::Table table{{"kernel", "worst token and head, relative to the head's RMS"}, {}};
  for (const models::KernelCheck &check : checks) {
    table.rows.push_back({check.kernel, fmt::format("{:.1e}", check.error)});
    if (!(check.error < 2e-5))
      throw Error(ErrorCode::internal,
                  fmt::format("kernel '{}' on the clip's tokens: expected an error below 2e-5 against "
                              "the interpreter, got {:.1e}",
                              check.kernel, check.error));
  }
  fmt::print("\nM-MATE's kernels against the fp64 interpreter on {} of these tokens:\n{}",
             prompt.layout.tokens, report::formatTable(table));
  page.addHeading("Kernels against their definition");
  page.addTable(table);
}

void addFigures(report::HtmlReport &page, const std::vector<Measurement> &teacher,
                const std::vector<Measurement> &student) {
  auto chart = [&](const char *title, const char *label, report::Quantity quantity,
                   double Measurement::*value) {
    report::LineChart result;
    result.title = title;
    result.x = {"tokens", report::AxisScale::logarithmic, report::Quantity::length};
    result.y = {label, report::AxisScale::logarithmic, quantity};
    for (auto [name, series] : {std::pair("teacher", &teacher), std::pair("LinMU", &student)}) {
      report::ChartSeries line{name, {}};
      for (const Measurement &point : *series)
        line.points.push_back({double(point.tokens), point.*value});
      result.series.push_back(line);
    }
    return result;
  };
  page.addHeading("Time and memory against length");
  page.addCharts(
      {chart("Time to first token", "seconds", report::Quantity::duration, &Measurement::first_token),
       chart("Decoding", "tokens/s", report::Quantity::number, &Measurement::decode_rate),
       chart("State", "bytes", report::Quantity::bytes, &Measurement::state_bytes)});
}

/// A slip on the command line must not cost the user a model or a clip.
void checkReport(const Arguments &arguments) {
  std::error_code status;
  for (const std::string &input : {arguments.model, arguments.video})
    if (std::filesystem::is_regular_file(arguments.out, status) &&
        std::filesystem::equivalent(arguments.out, input, status))
      throw Error(ErrorCode::invalidArgument,
                  fmt::format("--out {} is an input of the demo, and would be overwritten", arguments.out));
}

void run(const Arguments &arguments) {
  torch::InferenceMode inference;
  checkReport(arguments);
  AtomicFile out(arguments.out, AtomicFile::Folders::create);
  models::setTorchThreads(Settings::current().threads);
  static_cast<void>(
      media::VideoReader{arguments.video}); // a file that is no video is refused before the model is loaded
  report::HtmlReport page("LinMU on a clip");
  fmt::print("{}\n\n", notDistilled);
  page.addNotice(notDistilled);

  models::LanguageModel model = models::LanguageModel::open(arguments.model, models::WeightForm::f32);
  const char *question = "What is a video? Answer in one sentence.";
  models::GenerateOptions options;
  options.max_tokens = 48;
  fmt::print("Teacher, asked \"{}\":\n  ", question);
  flushStandardOutput();
  auto answer =
      models::generate(model, models::encodePrompt(model, question, false), options, writeStandardOutput);
  fmt::print("\n");
  page.addParagraph(fmt::format("Teacher, asked \"{}\": {}", question, answer.text));

  double start = seconds();
  Decoder student = models::convertToMMate(model.decoder, models::MMateConfig::preset(arguments.preset));
  Prompt small = makePrompt(model, arguments.video, 512);
  models::calibrateScanNorms(model.decoder, student, small.embeddings, small.layout);
  {
    models::DecoderState state = student.initialState(1);
    student.forwardEmbeddings(small.embeddings, small.layout, state);
    student.forward(torch::zeros({1, 1}, torch::kInt64), state);
  }
  CompileStatistics statistics = compileStatistics();
  fmt::print("\nConverted {} layers by weight reuse in {:.1f} s ({} kernels compiled, {} from disk).\n",
             student.layers().size(), seconds() - start, statistics.compiled, statistics.disk_hits);
  checkOnClip(student, small, page);

  std::vector<std::int64_t> lengths = {512, 1024, 2048, 4096, 8192};
  if (arguments.full)
    lengths.push_back(32768);
  std::vector<Measurement> teacherResults, studentResults;
  // Cost grows with the square for the teacher: that is what the bar counts.
  double total = 0, done = 0;
  auto cost = [](std::int64_t n) { return double(n) * (1 + double(n) / 8192); };
  for (std::int64_t length : lengths)
    total += cost(length) + double(length);
  fmt::print("\n");
  flushStandardOutput();
  {
    report::ProgressBar bar("Measuring", total);
    for (std::int64_t length : lengths) {
      Prompt prompt = makePrompt(model, arguments.video, length);
      bar.update(done, fmt::format("teacher, {} tokens", length));
      teacherResults.push_back(measure(model.decoder, prompt, nullptr));
      done += cost(length);
      bar.update(done, fmt::format("LinMU, {} tokens", length));
      studentResults.push_back(measure(student, prompt, &kernelsOf(student)));
      done += double(length);
      bar.update(done, fmt::format("{} tokens", length));
    }
    bar.finish();
  }

  report::Table table{{"tokens", "first token s: teacher", "LinMU", "its kernels' share", "tokens/s: teacher",
                       "LinMU", "state MiB: teacher", "LinMU"},
                      {}};
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    const Measurement &t = teacherResults[i], &s = studentResults[i];
    table.rows.push_back(
        {fmt::format("{}", t.tokens), fmt::format("{:.2f}", t.first_token),
         fmt::format("{:.2f}", s.first_token), fmt::format("{:.1f}%", 100 * s.kernels / s.first_token),
         fmt::format("{:.1f}", t.decode_rate), fmt::format("{:.1f}", s.decode_rate),
         fmt::format("{:.1f}", t.state_bytes / (1 << 20)), fmt::format("{:.1f}", s.state_bytes / (1 << 20))});
  }
  fmt::print("\n{}", report::formatTable(table));
  addFigures(page, teacherResults, studentResults);
  page.addTable(table);
  page.write(out);
  fmt::print("\n{}\nSaved {}\n", notDistilled, arguments.out);
}

} // namespace

void addDemo(CLI::App &app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App *command = app.add_subcommand("demo", "A clip through a language model and its LinMU conversion");
  command->add_option("--model", arguments->model, "A GGUF file or a Hugging Face folder")->required();
  command->add_option("--video", arguments->video, "A video file")->required();
  command->add_option("--out", arguments->out, "Where the report goes (linmu-demo/report.html)");
  command->add_option("--preset", arguments->preset, "M-MATE's preset: safe (default) or paper");
  command->add_flag("--full", arguments->full, "Up to 32,768 tokens");
  command->callback([arguments] { run(*arguments); });
}

} // namespace linmu::tools
