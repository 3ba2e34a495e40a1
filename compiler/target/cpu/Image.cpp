// Links the code and constants of objects into one image that runs wherever it is mapped.
#include "compiler/target/cpu/TargetCPU.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace linmu::cpu;
using llvm::object::SectionRef;

namespace {

struct Linker {
  const llvm::object::ELFObjectFileBase &object;
  Image &image;
  std::map<SectionRef, std::uint64_t> offsets;
  std::string error;

  bool fail(const llvm::Twine &message) {
    error = message.str();
    return false;
  }

  bool placeSections() {
    for (SectionRef section : object.sections()) {
      auto flags = llvm::object::ELFSectionRef(section).getFlags();
      if (!(flags & llvm::ELF::SHF_ALLOC) || section.getSize() == 0 ||
          llvm::cantFail(section.getName()).starts_with(".eh_frame"))
        continue;
      if (flags & llvm::ELF::SHF_WRITE)
        return fail("the kernel has writable data in " + llvm::cantFail(section.getName()));
      std::uint64_t offset = llvm::alignTo(image.bytes.size(), section.getAlignment());
      llvm::StringRef contents = llvm::cantFail(section.getContents());
      image.bytes.resize(offset + contents.size());
      std::memcpy(image.bytes.data() + offset, contents.data(), contents.size());
      offsets[section] = offset;
    }
    return true;
  }

  bool relocate() {
    for (SectionRef section : object.sections()) {
      auto target = llvm::cantFail(section.getRelocatedSection());
      if (target == object.section_end() || !offsets.contains(*target))
        continue;
      for (const llvm::object::RelocationRef &relocation : section.relocations()) {
        std::uint64_t place = offsets[*target] + relocation.getOffset();
        auto symbol = relocation.getSymbol();
        auto home = llvm::cantFail(symbol->getSection());
        if (home == object.section_end() || !offsets.contains(*home))
          return fail("the kernel needs the external symbol '" + llvm::cantFail(symbol->getName()) + "'");
        std::int64_t value = offsets[*home] + llvm::cantFail(symbol->getValue()) +
                             llvm::cantFail(llvm::object::ELFRelocationRef(relocation).getAddend());
        if (!apply(relocation, place, value))
          return false;
      }
    }
    return true;
  }

  bool apply(const llvm::object::RelocationRef &relocation, std::uint64_t place, std::int64_t value) {
    std::byte *at = image.bytes.data() + place;
    if (object.getEMachine() == llvm::ELF::EM_X86_64)
      switch (relocation.getType()) {
      case llvm::ELF::R_X86_64_PC32:
      case llvm::ELF::R_X86_64_PLT32:
        llvm::support::endian::write32le(at, std::uint32_t(value - std::int64_t(place)));
        return true;
      }
    llvm::SmallString<32> name;
    relocation.getTypeName(name);
    return fail("the kernel has a relocation of type " + name + ", which is not relative");
  }

  bool collectEntries() {
    for (const llvm::object::SymbolRef &symbol : object.symbols()) {
      if (llvm::cantFail(symbol.getType()) != llvm::object::SymbolRef::ST_Function)
        continue;
      auto home = llvm::cantFail(symbol.getSection());
      if (home != object.section_end() && offsets.contains(*home))
        image.entries[llvm::cantFail(symbol.getName()).str()] =
            offsets[*home] + llvm::cantFail(symbol.getValue());
    }
    return true;
  }
};

} // namespace

mlir::LogicalResult linmu::cpu::link(llvm::StringRef bytes, Image &image, std::string &error) {
  auto file = llvm::object::ObjectFile::createObjectFile(llvm::MemoryBufferRef(bytes, "kernel"));
  if (!file) {
    error = llvm::toString(file.takeError());
    return mlir::failure();
  }
  auto *elf = llvm::dyn_cast<llvm::object::ELFObjectFileBase>(file->get());
  if (!elf) {
    error = "the CPU target needs ELF objects";
    return mlir::failure();
  }
  Linker linker{*elf, image, {}, {}};
  if (linker.placeSections() && linker.relocate() && linker.collectEntries())
    return mlir::success();
  error = linker.error;
  return mlir::failure();
}
