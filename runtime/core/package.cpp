#include "runtime/core/package.h"
#include "runtime/core/byte_stream.h"
#include "runtime/core/package_validate.h"
#include <algorithm>

namespace linmu {

namespace {

constexpr std::uint64_t magic = 0x474b50554d4e494c; // "LINMUPKG"
constexpr std::uint32_t format_version = 7;

void writeShape(ByteWriter &out, const std::vector<Extent> &shape) {
  out.writeCount(shape.size());
  for (const Extent &extent : shape) {
    out.write(extent.kind);
    out.write(extent.value);
  }
}

std::vector<Extent> readShape(ByteReader &in) {
  std::vector<Extent> shape(in.readCount(9));
  for (Extent &extent : shape) {
    extent.kind = in.read<Extent::Kind>();
    extent.value = in.read<std::int64_t>();
  }
  return shape;
}

void writeOperands(ByteWriter &out, const std::vector<OperandSpec> &operands) {
  out.writeCount(operands.size());
  for (const OperandSpec &operand : operands) {
    out.writeText(operand.name);
    out.write(operand.dtype);
    writeShape(out, operand.shape);
    out.write(operand.content);
    out.write(operand.in_place_of);
  }
}

std::vector<OperandSpec> readOperands(ByteReader &in) {
  std::vector<OperandSpec> operands(in.readCount(22));
  for (OperandSpec &operand : operands) {
    operand.name = in.readText();
    operand.dtype = in.read<DType>();
    operand.shape = readShape(in);
    operand.content = in.read<OperandSpec::Content>();
    operand.in_place_of = in.read<std::uint32_t>();
  }
  return operands;
}

void writeIds(ByteWriter &out, const std::vector<ExpressionId> &ids) {
  out.writeCount(ids.size());
  for (ExpressionId id : ids)
    out.write(id);
}

std::vector<ExpressionId> readIds(ByteReader &in) {
  std::vector<ExpressionId> ids(in.readCount(4));
  for (ExpressionId &id : ids)
    id = in.read<ExpressionId>();
  return ids;
}

void writeLaunch(ByteWriter &out, const Launch &launch) {
  out.writeText(launch.kernel);
  out.write(launch.entry);
  writeIds(out, launch.grid);
  out.write(launch.workspace_bytes);
  out.write(launch.blocks_together);
  out.write(launch.threads);
  out.write(launch.shared_bytes);
  out.writeCount(launch.operands.size());
  for (const Binding &binding : launch.operands) {
    out.write(binding.kind);
    out.write(binding.index);
  }
}

Launch readLaunch(ByteReader &in) {
  Launch launch;
  launch.kernel = in.readText();
  launch.entry = in.read<std::uint64_t>();
  launch.grid = readIds(in);
  launch.workspace_bytes = in.read<std::int64_t>();
  launch.blocks_together = in.read<std::int64_t>();
  launch.threads = in.read<std::int32_t>();
  launch.shared_bytes = in.read<std::int64_t>();
  launch.operands.resize(in.readCount(5));
  for (Binding &binding : launch.operands) {
    binding.kind = in.read<Binding::Kind>();
    binding.index = in.read<std::uint32_t>();
  }
  return launch;
}

void writeExpressions(ByteWriter &out, const std::vector<Expression> &expressions) {
  out.writeCount(expressions.size());
  for (const Expression &expression : expressions) {
    out.writeCount(expression.terms.size());
    for (const Expression::Term &term : expression.terms) {
      out.write(term.kind);
      out.write(term.value);
    }
  }
}

std::vector<Expression> readExpressions(ByteReader &in) {
  std::vector<Expression> expressions(in.readCount(8));
  for (Expression &expression : expressions) {
    expression.terms.resize(in.readCount(9));
    for (Expression::Term &term : expression.terms) {
      term.kind = in.read<Expression::Term::Kind>();
      term.value = in.read<std::int64_t>();
    }
  }
  return expressions;
}

} // namespace

std::int64_t Extent::evaluate(const Symbols &symbols) const {
  switch (kind) {
  case constant:
    break;
  case batch:
    return symbols.batch;
  case tokens:
    return symbols.tokens;
  case mediaItems:
    return symbols.media_items;
  case sequences:
    return symbols.sequences + value;
  }
  return value;
}

std::vector<std::byte> serialize(const Package &package) {
  ByteWriter body;
  body.writeText(package.key);
  body.writeText(package.target);
  body.writeCount(package.cpu_features.size());
  for (const std::string &feature : package.cpu_features)
    body.writeText(feature);
  body.writeText(package.signature.name);
  writeOperands(body, package.signature.inputs);
  writeOperands(body, package.signature.results);
  writeExpressions(body, package.expressions);
  body.writeCount(package.temporaries.size());
  for (const Temporary &temporary : package.temporaries) {
    body.write(temporary.dtype);
    writeIds(body, temporary.shape);
  }
  body.writeCount(package.variants.size());
  for (const Variant &variant : package.variants) {
    body.write(variant.condition);
    body.writeText(variant.algorithm);
    body.writeCount(variant.launches.size());
    for (const Launch &launch : variant.launches)
      writeLaunch(body, launch);
  }
  body.writeCount(package.images.size());
  for (const PackageImage &image : package.images) {
    body.writeText(image.architecture);
    body.writeText(image.kernel);
    body.writeBytes(image.code);
  }
  body.writeCount(package.sources.size());
  for (const KernelSource &source : package.sources) {
    body.writeText(source.kernel);
    body.writeText(source.text);
  }
  body.writeText(package.prelude);

  std::vector<std::byte> fields = body.take();
  ByteWriter out;
  out.write(magic);
  out.write(format_version);
  out.write(checksum(fields));
  std::vector<std::byte> bytes = out.take();
  bytes.insert(bytes.end(), fields.begin(), fields.end());
  return bytes;
}

bool isPackage(std::span<const std::byte> bytes) {
  std::uint64_t start = 0;
  if (bytes.size() < sizeof start)
    return false;
  std::memcpy(&start, bytes.data(), sizeof start);
  return start == magic;
}

Package deserialize(std::span<const std::byte> bytes, const std::string &origin) {
  ByteReader in(bytes, origin);
  if (in.read<std::uint64_t>() != magic)
    in.fail("is not a kernel package");
  if (auto version = in.read<std::uint32_t>(); version != format_version)
    in.fail("is a package of format version " + std::to_string(version) + ", expected " +
            std::to_string(format_version));
  if (auto expected = in.read<std::uint64_t>(); expected != checksum(in.rest()))
    in.fail("the checksum does not fit the content; the file is damaged or incomplete");

  Package package;
  package.key = in.readText();
  package.target = in.readText();
  package.cpu_features.resize(in.readCount(8));
  for (std::string &feature : package.cpu_features)
    feature = in.readText();
  package.signature.name = in.readText();
  package.signature.inputs = readOperands(in);
  package.signature.results = readOperands(in);
  package.expressions = readExpressions(in);
  package.temporaries.resize(in.readCount(9));
  for (Temporary &temporary : package.temporaries) {
    temporary.dtype = in.read<DType>();
    temporary.shape = readIds(in);
  }
  package.variants.resize(in.readCount(20));
  for (Variant &variant : package.variants) {
    variant.condition = in.read<ExpressionId>();
    variant.algorithm = in.readText();
    variant.launches.resize(in.readCount(60));
    for (Launch &launch : variant.launches)
      launch = readLaunch(in);
  }
  package.images.resize(in.readCount(24));
  for (PackageImage &image : package.images) {
    image.architecture = in.readText();
    image.kernel = in.readText();
    auto code = in.readBytes();
    image.code.assign(code.begin(), code.end());
  }
  package.sources.resize(in.readCount(16));
  for (KernelSource &source : package.sources) {
    source.kernel = in.readText();
    source.text = in.readText();
  }
  package.prelude = in.readText();
  in.requireEnd();
  validate(package, origin);
  return package;
}

} // namespace linmu
