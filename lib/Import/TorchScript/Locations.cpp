//===- Locations.cpp - Python source locations ----------------------------===//
//
// LibTorch parses the archive's own Python text; its debug records lead from there to the file that
// the user wrote. For a traced operation that is the innermost Python frame.
//
//===----------------------------------------------------------------------===//
#include "Importer.h"

using namespace mlir;
using namespace torchlite::import;

Location Importer::convertLocation(const jit::SourceRange &range) {
  // Debug records can be missing (an archive of torch._C._jit_set_debug... or stripped for size);
  // then the line in the archive's text is the best there is.
  std::optional<jit::SourceRange> original = range.findSourceRangeThatGenerated();
  const jit::SourceRange &best = original && original->file_line_col() ? *original : range;
  auto place = best.file_line_col();
  if (!place)
    return functionLoc;
  auto [file, line, column] = *place;
  // A range that tracing did not record.
  if (line == 0)
    return functionLoc;
  // Columns count from 0 in LibTorch and from 1 here.
  return FileLineColLoc::get(context, file, line, column + 1);
}

void Importer::setFunctionLocation(const jit::Block *block, Location fallback) {
  functionLoc = unknown;
  for (const jit::Node *node : block->nodes())
    if (functionLoc == unknown)
      functionLoc = convertLocation(node->sourceRange());
  if (functionLoc == unknown)
    functionLoc = fallback;
}
