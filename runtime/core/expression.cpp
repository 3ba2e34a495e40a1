#include "runtime/core/expression.h"
#include <algorithm>
#include <array>

namespace linmu {

namespace {

std::int64_t capped(bool overflow, std::int64_t value) { return overflow ? INT64_MAX : value; }

std::int64_t apply(Expression::Term::Kind kind, std::int64_t a, std::int64_t b) {
  using Term = Expression::Term;
  std::int64_t result = 0;
  switch (kind) {
  case Term::add:
    return capped(__builtin_add_overflow(a, b, &result), result);
  case Term::subtract:
    return std::max<std::int64_t>(a - b, 0);
  case Term::multiply:
    return capped(__builtin_mul_overflow(a, b, &result), result);
  case Term::divide:
    return b == 0 ? 0 : a / b;
  case Term::ceilDivide:
    return b == 0 ? 0 : a / b + (a % b != 0);
  case Term::remainder:
    return b == 0 ? 0 : a % b;
  case Term::minimum:
    return std::min(a, b);
  case Term::maximum:
    return std::max(a, b);
  case Term::equal:
    return a == b;
  case Term::less:
    return a < b;
  case Term::both:
    return a && b;
  case Term::either:
    return a || b;
  default:
    return 0;
  }
}

} // namespace

bool Expression::isValid() const {
  if (terms.size() > mostTerms)
    return false;
  std::size_t values = 0;
  for (const Term &term : terms) {
    if (term.kind > Term::either || (term.kind == Term::constant && term.value < 0))
      return false;
    if (term.kind < Term::add) {
      ++values;
    } else if (values < 2) {
      return false;
    } else {
      --values;
    }
  }
  return values == 1;
}

std::int64_t Expression::evaluate(const Symbols &symbols) const {
  std::array<std::int64_t, mostTerms> stack;
  std::size_t size = 0;
  for (const Term &term : terms) {
    switch (term.kind) {
    case Term::constant:
      stack[size++] = term.value;
      break;
    case Term::batch:
      stack[size++] = symbols.batch;
      break;
    case Term::tokens:
      stack[size++] = symbols.tokens;
      break;
    case Term::mediaItems:
      stack[size++] = symbols.media_items;
      break;
    case Term::sequences:
      stack[size++] = symbols.sequences;
      break;
    case Term::longestSequence:
      stack[size++] = symbols.longest_sequence;
      break;
    default:
      --size;
      stack[size - 1] = apply(term.kind, stack[size - 1], stack[size]);
    }
  }
  return stack[0];
}

bool Expression::uses(Term::Kind symbol) const {
  return std::any_of(terms.begin(), terms.end(), [&](const Term &term) { return term.kind == symbol; });
}

} // namespace linmu
