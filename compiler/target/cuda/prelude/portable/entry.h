// How the emulation calls a kernel, whatever its parameters. Stands behind the kernel's text.
#include <type_traits>
#include <utility>

namespace prelude {

template <class T> struct ParameterOf {
  static constexpr linmu::emulation::Parameter value = {linmu::emulation::ParameterKind::scalar, sizeof(T)};
  static T from(const void *argument) { return *static_cast<const T *>(argument); }
};
template <class T> struct ParameterOf<Global<T>> {
  static constexpr linmu::emulation::Parameter value = {
      std::is_const_v<T> ? linmu::emulation::ParameterKind::input : linmu::emulation::ParameterKind::output,
      sizeof(T)};
  static Global<T> from(const void *argument) { return {*static_cast<const GlobalPlace *>(argument)}; }
};

template <auto Function> struct Entry;
template <class... Parameters, void (*Function)(Parameters...)> struct Entry<Function> {
  static constexpr linmu::emulation::Parameter parameters[sizeof...(Parameters) + 1] = {
      ParameterOf<Parameters>::value..., {}};
  template <std::size_t... Index>
  static void call(const void *const *arguments, std::index_sequence<Index...>) {
    Function(ParameterOf<Parameters>::from(arguments[Index])...);
  }
  static void run(linmu::emulation::Machine &on, const void *const *arguments) {
    machine = &on;
    call(arguments, std::index_sequence_for<Parameters...>());
  }
  static constexpr linmu::emulation::Kernel kernel = {run, parameters, sizeof...(Parameters)};
};

} // namespace prelude

/// Exports what emulate() looks for.
#define LINMU_EXPORT(name)                                                                                   \
  extern "C" __attribute__((visibility("default"))) const linmu::emulation::Kernel linmu_emulated_##name =   \
      prelude::Entry<name>::kernel;
