#include "tests/unit/cut_combinations.h"
#include <set>

namespace linmu::test::cuts {

static bool hasTails(const Combination &with) { return with.lag > 0 && with.before == Before::tail; }

std::string Combination::name() const {
  std::string text = map ? "map" : "scan";
  text += reverse ? " reverse" : "";
  text += order ? " order" : "";
  text += segments == Segments::tail ? " segments+tail" : segments == Segments::bare ? " segments" : "";
  text += sourceMask ? " source" : "";
  text += outputMask ? " output" : "";
  text += sharedHeads ? " shared" : "";
  text += ragged ? " sequences" : "";
  if (lag > 0)
    text += " lag" + std::to_string(lag) +
            (before == Before::otherwise ? "+otherwise"
             : before == Before::zero    ? ""
             : longTail                  ? "+long tail"
                                         : "+tail");
  return text;
}

int Combination::tailOf(const std::string &token) const {
  int furthest = token == "g" ? 1 : lag;
  return !hasTails(*this) ? 0 : longTail ? 3 : furthest;
}

std::array<int, 8> Combination::clauses() const {
  return {map,        reverse,    order,       int(segments),
          sourceMask, outputMask, sharedHeads, (lag * 3 + int(before)) * 2 + longTail};
}

std::vector<Combination> allCombinations() {
  struct Lags {
    int lag;
    Before before;
    bool longTail = false;
  };
  std::vector<Lags> lags{{0, Before::zero}, {1, Before::tail, true}, {2, Before::tail, true}};
  for (int lag : {1, 2, 3})
    for (Before before : {Before::zero, Before::otherwise, Before::tail})
      lags.push_back({lag, before});
  std::vector<Combination> all;
  for (int bits = 0; bits < 64; ++bits)
    for (Segments segments : {Segments::none, Segments::bare, Segments::tail})
      for (const Lags &of : lags)
        all.push_back({(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0, segments, (bits & 8) != 0,
                       (bits & 16) != 0, (bits & 32) != 0, of.lag, of.before, of.longTail});
  return all;
}

static std::vector<Combination> chooseCovering() {
  using Triple = std::array<int, 6>; // three clauses and their numbers
  auto triplesOf = [](const Combination &with) {
    std::array<int, 8> clauses = with.clauses();
    std::vector<Triple> triples;
    for (int a = 0; a < 8; ++a)
      for (int b = a + 1; b < 8; ++b)
        for (int c = b + 1; c < 8; ++c)
          triples.push_back({a, b, c, clauses[a], clauses[b], clauses[c]});
    return triples;
  };
  std::vector<Combination> all = allCombinations(), chosen;
  std::set<Triple> missing;
  for (const Combination &with : all)
    for (const Triple &triple : triplesOf(with))
      missing.insert(triple);
  while (!missing.empty()) {
    std::size_t best = 0, most = 0;
    for (std::size_t i = 0; i < all.size(); ++i) {
      std::size_t count = 0;
      for (const Triple &triple : triplesOf(all[i]))
        count += missing.count(triple);
      if (count > most)
        best = i, most = count;
    }
    chosen.push_back(all[best]);
    for (const Triple &triple : triplesOf(all[best]))
      missing.erase(triple);
  }
  return chosen;
}

const std::vector<Combination> &coveringCombinations() {
  static const std::vector<Combination> chosen = chooseCovering();
  return chosen;
}

std::vector<Combination> partOf(const std::vector<Combination> &combinations, int bits) {
  std::vector<Combination> part;
  for (const Combination &with : combinations)
    if (with.map + 2 * with.reverse + 4 * with.order == bits)
      part.push_back(with);
  return part;
}

std::vector<std::string> inputsOf(const Combination &with) {
  std::vector<std::string> names{"q", "k", "v", "g"};
  if (!with.map)
    names.push_back("s0");
  if (hasTails(with))
    names.insert(names.end(), {"ktail", "vtail", "gtail"});
  if (with.order)
    names.push_back("order");
  if (with.segments != Segments::none)
    names.push_back("id");
  if (with.segments == Segments::tail)
    names.push_back("idtail");
  if (with.sourceMask)
    names.push_back("source");
  if (with.outputMask)
    names.push_back("live");
  if (with.ragged)
    names.push_back("cu");
  return names;
}

std::vector<std::string> resultsOf(const Combination &with) {
  std::vector<std::string> names{"y"};
  if (!with.map)
    names.push_back("s0");
  if (hasTails(with))
    names.insert(names.end(), {"ktail", "vtail", "gtail"});
  if (with.segments == Segments::tail)
    names.push_back("idtail");
  return names;
}

static std::string typeOf(const Combination &with, const std::string &name) {
  auto features = [&](int heads) { return std::to_string(heads) + "x2xf32>"; };
  auto tail = [&](const std::string &token) {
    return "tensor<?x" + std::to_string(with.tailOf(token)) + "x";
  };
  std::string scalars = with.sharedHeads ? "f32>" : std::to_string(with.heads()) + "xf32>";
  const std::map<std::string, std::string> types{
      {"q", "tensor<?x?x" + features(with.heads())},
      {"y", "tensor<?x?x" + features(with.heads())},
      {"k", "tensor<?x?x" + features(with.groups())},
      {"v", "tensor<?x?x" + features(with.groups())},
      {"g", "tensor<?x?x" + scalars},
      {"s0", "tensor<?x" + std::to_string(with.heads()) + "x2x2xf32>"},
      {"ktail", tail("k") + features(with.groups())},
      {"vtail", tail("v") + features(with.groups())},
      {"gtail", tail("g") + scalars},
      {"order", "tensor<?x?xi32>"},
      {"id", "tensor<?x?xi32>"},
      {"idtail", "tensor<?x1xi32>"},
      {"source", "tensor<?x?xi1>"},
      {"live", "tensor<?x?xi1>"},
      {"cu", "tensor<?xi32>"},
  };
  return types.at(name);
}

/// `lines` of the step; %km, %vm and %gm are what the lags make of %kt, %vt and %gt.
static std::string lagsOf(const Combination &with) {
  const std::string vector = "tensor<2xf32>";
  std::string lines, sum = "%vt";
  auto lag = [&](const std::string &result, const std::string &token, int distance, const std::string &type) {
    lines += result + " = pattern.lag " + token + " by " + std::to_string(distance) +
             (with.before == Before::otherwise ? " otherwise " + token + " : " + type : "") + " : " + type +
             "\n";
  };
  auto add = [&](const std::string &result, const std::string &to, const std::string &value, double weight,
                 const std::string &type) {
    std::string number = std::to_string(weight), scaled = result + "_scaled", factor = result + "_weight";
    lines += factor + " = arith.constant " + (type == "f32" ? number : "dense<" + number + ">") + " : " +
             type + "\n" + scaled + " = arith.mulf " + value + ", " + factor + " : " + type + "\n" + result +
             " = arith.addf " + to + ", " + scaled + " : " + type + "\n";
  };
  for (int distance = 1; distance <= with.lag; ++distance) {
    std::string at = std::to_string(distance);
    lag("%v" + at, "%vt", distance, vector);
    add("%vm" + at, sum, "%v" + at, weights[distance - 1], vector);
    sum = "%vm" + at;
  }
  lag("%k1", "%kt", with.lag, vector);
  add("%km", "%kt", "%k1", weights[0], vector);
  lag("%g1", "%gt", 1, "f32");
  add("%gm", "%gt", "%g1", weights[0], "f32");
  return lines;
}

std::string textOf(const Combination &with) {
  std::string arguments, tokens, results, types;
  for (const std::string &name : inputsOf(with))
    arguments += (arguments.empty() ? "%" : ", %") + name + ": " + typeOf(with, name);
  for (const std::string &name : resultsOf(with)) {
    results += (results.empty() ? "%new_" : ", %new_") + name;
    types += (types.empty() ? "" : ", ") + typeOf(with, name);
  }
  for (const std::string name : {"q", "k", "v", "g"}) {
    bool tail = name != "q" && hasTails(with);
    tokens += (tokens.empty() ? "%" : ", %") + name + "t = %" + name +
              (tail ? " tail %" + name + "tail" : "") + " : " + typeOf(with, name) +
              (tail ? ", " + typeOf(with, name + "tail") : "");
  }
  std::string text = "func.func @cut(" + arguments + ") -> (" + types + ") {\n" + results + " = pattern." +
                     (with.map ? "map" : "scan") + (with.reverse ? " reverse" : "") + "\ntokens(" + tokens +
                     ")\n";
  text += with.map ? "" : "states(%S = %s0 : " + typeOf(with, "s0") + ")\n";
  text += with.order ? "order(%order : tensor<?x?xi32>)\n" : "";
  text += with.ragged ? "sequences(%cu : tensor<?xi32>)\n" : "";
  text += with.segments == Segments::none ? ""
          : with.segments == Segments::bare
              ? "segments(%id : tensor<?x?xi32>)\n"
              : "segments(%id tail %idtail : tensor<?x?xi32>, tensor<?x1xi32>)\n";
  text += with.sourceMask ? "source_mask(%source : tensor<?x?xi1>) zeroes(%vt, %kt)\n" : "";
  text += with.outputMask ? "output_mask(%live : tensor<?x?xi1>)\n" : "";
  text += "-> (" + typeOf(with, "y") + ") {\n" + (with.lag ? lagsOf(with) : "");
  std::string v = with.lag ? "%vm" + std::to_string(with.lag) : "%vt", k = with.lag ? "%km" : "%kt";
  text += "%a = pattern.sigmoid " + std::string(with.lag ? "%gm" : "%gt") + " : f32\n";
  if (with.map)
    text += "%A = pattern.broadcast %a : f32 to tensor<2xf32>\n%e = arith.mulf %A, " + v +
            " : tensor<2xf32>\n%f = arith.mulf " + k +
            ", %qt : tensor<2xf32>\n%y = arith.addf %e, %f : tensor<2xf32>\n"
            "pattern.yield outputs(%y : tensor<2xf32>)\n";
  else
    text += "%A = pattern.broadcast %a : f32 to tensor<2x2xf32>\n%D = arith.mulf %A, %S : tensor<2x2xf32>\n"
            "%W = pattern.outer " +
            k + ", " + v +
            " : tensor<2xf32>, tensor<2xf32>\n%N = arith.addf %D, %W : tensor<2x2xf32>\n"
            "%y = pattern.read %N, %qt : tensor<2x2xf32>, tensor<2xf32>\n"
            "pattern.yield outputs(%y : tensor<2xf32>) states(%N : tensor<2x2xf32>)\n";
  return text + "}\nreturn " + results + " : " + types + "\n}\n";
}

Operands operandsOf(const Combination &with, int tokens, unsigned seed) {
  std::mt19937 random(seed);
  auto scalars = [&](std::int64_t length) {
    std::vector<std::int64_t> shape{batch, length};
    if (!with.sharedHeads)
      shape.push_back(with.heads());
    return randomTensor(shape, -1, 2, random);
  };
  auto vectors = [&](std::int64_t length, int heads) {
    return randomTensor({batch, length, heads, features}, -1, 1, random);
  };
  Operands all;
  all["q"] = vectors(tokens, with.heads());
  all["k"] = vectors(tokens, with.groups());
  all["v"] = vectors(tokens, with.groups());
  all["g"] = scalars(tokens);
  all["ktail"] = vectors(with.tailOf("k"), with.groups());
  all["vtail"] = vectors(with.tailOf("v"), with.groups());
  all["gtail"] = scalars(with.tailOf("g"));
  all["s0"] = randomTensor({batch, with.heads(), features, features}, -1, 1, random);
  all["order"] = randomOrder(batch, tokens, random);
  for (const char *mask : {"source", "live", "id"})
    all[mask] = randomMask({batch, tokens}, random);
  all["idtail"] = randomMask({batch, 1}, random);
  all["id"].dtype = all["idtail"].dtype = DType::i32;
  return all;
}

} // namespace linmu::test::cuts
