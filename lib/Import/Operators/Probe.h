//===- Probe.h - One run of an operator at compile time ---------*- C++ -*-===//
#ifndef TORCHLITE_LIB_IMPORT_OPERATORS_PROBE_H
#define TORCHLITE_LIB_IMPORT_OPERATORS_PROBE_H

#include "Invoke.h"

namespace torchlite::fallback {

/// What stands for what is known only at run time.
struct Guess {
  int64_t size;
  int64_t integer;
  double number;
  bool boolean;
};

/// The form of a tensor operand: -1 for sizes that are not known.
struct OperandForm {
  std::vector<int64_t> sizes;
};

struct Probe {
  torch::jit::Stack results;
  /// An operand has changed that the schema does not say is written.
  bool writesOther = false;
  /// An operand has other sizes, or another rank, afterwards.
  bool changesSizes = false, changesRank = false;
  /// A result that is a tensor shares memory with an operand, or with another result.
  bool aliases = false;
};

/// Runs an operator with made-up operands; `writes` are those that it may write. Throws what it
/// throws.
Probe runProbe(torch::jit::Operator &op, const std::vector<Entry> &arguments,
               const std::vector<OperandForm> &forms, const std::vector<int64_t> &writes,
               const Guess &guess, c10::DeviceType device);

} // namespace torchlite::fallback

#endif // TORCHLITE_LIB_IMPORT_OPERATORS_PROBE_H
