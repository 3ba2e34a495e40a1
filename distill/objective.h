// The losses of Algorithm 2 on a micro-batch, and their gradients.
#pragma once
#include "distill/decodings.h"
#include "distill/model.h"
#include <cstdint>

namespace linmu::distill {

/// One number for each term: weights (lambda), or values.
struct LossTerms {
  double hidden = 0;     ///< L_hid, Eq. 6
  double token = 0;      ///< L_tok, Eq. 7
  double sequence = 0;   ///< L_seq, Eq. 8
  double supervised = 0; ///< L_sup, Eq. 9

  LossTerms &operator+=(const LossTerms &other);
  /// The sum of products.
  double total(const LossTerms &weights) const;
  bool operator==(const LossTerms &) const = default;
};

struct ObjectiveOptions {
  LossTerms weights{0.5, 0.5, 0, 0};
  /// What the student's mixers are given for L_hid: what the teacher's attention was given, or the student's
  /// own stream.
  enum class HiddenInput { teacher, student } hidden_input = HiddenInput::teacher;
  double temperature = 2;
  /// Of patchWeights(); 0: every token counts the same.
  double patch_strength = 0;
  bool recompute = false;
};

/// What the terms are means over.
struct Counts {
  std::int64_t tokens = 0;  ///< of L_hid, and layers beside that
  std::int64_t targets = 0; ///< of L_tok and L_sup
  std::int64_t decoded = 0; ///< of L_seq
  Counts &operator+=(const Counts &other);
};

class Objective {
public:
  /// `teacher` and `student` have the same layers and width of the stream. `decodings` may be null where
  /// weights.sequence is 0, and `teacher` where the supervised loss is the only one: then gradients flow to
  /// what the student embeds with as well, which is the teacher's otherwise.
  Objective(const Model *teacher, const Model &student, Decodings *decodings, ObjectiveOptions options)
      : teacher_(teacher), student_(student), decodings_(decodings), options_(options) {}

  Counts count(const Batch &batch) const;

  /// The terms of `batch`, each a sum over the count of it in `whole`, which counts all micro-batches of a
  /// step: terms of a step's micro-batches add up to its means. Where gradients are on, those of the weighted
  /// sum are added to the student's parameters. Terms of weight 0 are not computed and are 0. `batch` goes to
  /// the student's device in one copy.
  LossTerms run(const Batch &batch, const Counts &whole) const;

private:
  /// Values of terms that are read once everything has been launched: a GPU would be waited for at each.
  class Values {
  public:
    void add(double LossTerms::*term, const torch::Tensor &value);
    LossTerms read() const;

  private:
    std::vector<double LossTerms::*> terms_;
    std::vector<torch::Tensor> values_; ///< f64 scalars
  };
  torch::Tensor headTerms(const Batch &batch, const Forward &student, const Forward &teacher,
                          const Counts &whole, Values &values) const;
  void sequenceTerm(const Batch &batch, const Counts &whole, Values &values) const;
  torch::Tensor hiddenTerm(std::size_t layer, const torch::Tensor &output, const Forward &teacher,
                           const torch::Tensor &weights, const Counts &whole, Values &values) const;

  const Model *teacher_;
  const Model &student_;
  Decodings *decodings_;
  ObjectiveOptions options_;
};

} // namespace linmu::distill
