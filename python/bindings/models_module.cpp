// The extension module _linmu_models: models that answer, from files. What users call is in linmu/models.py,
// which opens torch's library first; errors become exceptions as those of _linmu do.
#include "models/api/model.h"
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

namespace py = pybind11;
using namespace linmu::models;

namespace {

using Pixels = py::array_t<std::uint8_t, py::array::c_style>;

/// Of (kind, value): "text" and a text, "image" or "video" and the path of a file in bytes or pixels
/// [T, H, W, 3].
Content contentOf(const py::handle &pair) {
  const auto [kind, value] = pair.cast<std::pair<std::string, py::object>>();
  if (kind == "text")
    return {Content::Kind::text, value.cast<std::string>()};
  Content content{kind == "video" ? Content::Kind::video : Content::Kind::picture, {}};
  if (py::isinstance<py::bytes>(value)) {
    content.value = std::filesystem::path(value.cast<std::string>());
    return content;
  }
  const auto pixels = value.cast<Pixels>();
  linmu::media::Frames frames;
  frames.count = int(pixels.shape(0));
  frames.size = {int(pixels.shape(2)), int(pixels.shape(1))};
  frames.rgb.assign(pixels.data(), pixels.data() + pixels.size());
  content.value = std::move(frames);
  return content;
}

/// Of (role, contents).
std::vector<Message> messagesOf(const py::list &list) {
  std::vector<Message> messages;
  for (const py::handle pair : list) {
    const auto [role, contents] = pair.cast<std::pair<std::string, py::list>>();
    Message &message = messages.emplace_back();
    message.role = role;
    for (const py::handle content : contents)
      message.contents.push_back(contentOf(content));
  }
  return messages;
}

/// `on_text`: None, or called with each piece of text.
py::dict generate(const Model &model, const py::list &conversation, std::int64_t max_tokens,
                  double temperature, double top_p, std::uint64_t seed, const py::object &on_text) {
  const std::vector<Message> messages = messagesOf(conversation);
  const GenerateOptions options{max_tokens, {temperature, top_p, seed}};
  Generation answer;
  {
    py::gil_scoped_release release;
    answer = model.generate(messages, options, [&](std::string_view text) {
      py::gil_scoped_acquire acquire;
      if (PyErr_CheckSignals() != 0)
        throw py::error_already_set();
      if (!on_text.is_none())
        on_text(py::str(text.data(), text.size()));
    });
  }
  py::dict figures;
  figures["text"] = py::str(answer.text.data(), answer.text.size());
  figures["ids"] = answer.ids;
  figures["prompt_tokens"] = answer.prompt_tokens;
  figures["stopped"] = answer.stopped;
  figures["prefill_seconds"] = answer.prefill_seconds;
  figures["decode_seconds"] = answer.decode_seconds;
  return figures;
}

} // namespace

PYBIND11_MODULE(_linmu_models, module) {
  py::module_::import("_linmu"); // which says what errors become
  py::class_<Model>(module, "Model")
      .def(py::init([](const std::string &path, const std::string &device, const std::string &weights) {
        py::gil_scoped_release release;
        return std::make_unique<Model>(Model::load(path, {device, weights}));
      }))
      .def_property_readonly("sees", &Model::sees)
      .def("generate", &generate);
}
