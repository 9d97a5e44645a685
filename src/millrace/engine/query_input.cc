#include "millrace/engine/query_input.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "millrace/data/row_decoder.h"

namespace millrace {

namespace {

class StreamInput final : public QueryInput {
 public:
  StreamInput(const PipelineInput& input, std::unique_ptr<Cursor> cursor, Offset end)
      : source_(input, std::move(cursor)), end_(end) {}

  Result<SourcePartition::Slice> Next(size_t bytes_max) override {
    return source_.Poll(end_, bytes_max);
  }

 private:
  SourcePartition source_;
  const Offset end_;
};

class ServedInput final : public QueryInput {
 public:
  ServedInput(const PipelineInput& input, SchemaPtr schema,
              std::shared_ptr<const ServedRows::Root> root)
      : input_(input), root_(std::move(root)), decoder_(std::move(schema)) {}

  Result<SourcePartition::Slice> Next(size_t bytes_max) override {
    SourcePartition::Slice slice;
    std::vector<int32_t> weights;
    size_t bytes = 0;
    while (page_ < root_->pages() && bytes < bytes_max) {
      root_->VisitPage(page_, [&](std::string_view row, int64_t count) {
        bytes += row.size();
        // A weight of a batch is smaller than a count.
        for (; count > 0; count -= weights.back()) {
          decoder_.Add(row);
          constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
          weights.push_back(static_cast<int32_t>(std::min(count, kMax)));
        }
      });
      ++page_;
    }
    if (weights.empty()) {
      return slice;
    }
    const BatchPtr original = decoder_.Finish();
    std::vector<Column> columns;
    for (const size_t column : input_.columns) {
      columns.push_back(original->column(column));
    }
    std::vector<int64_t> offsets(original->rows());
    std::iota(offsets.begin(), offsets.end(), int64_t{0});
    slice.rows = original->rows();
    slice.bytes = bytes;
    slice.any = true;
    slice.pieces.push_back({.rows = Batch::Make(input_.schema, std::move(columns), slice.rows,
                                                {.weights = Buffer::Own(std::move(weights)),
                                                 .watermarks_before = nullptr,
                                                 .offsets = Buffer::Own(std::move(offsets))}),
                            .original = original,
                            .begin = Offset()});
    return slice;
  }

 private:
  const PipelineInput& input_;
  const std::shared_ptr<const ServedRows::Root> root_;
  RowDecoder decoder_;
  size_t page_ = 0;
};

}  // namespace

std::unique_ptr<QueryInput> MakeStreamInput(const PipelineInput& input,
                                            std::unique_ptr<Cursor> cursor, Offset end) {
  return std::make_unique<StreamInput>(input, std::move(cursor), end);
}

std::unique_ptr<QueryInput> MakeServedInput(const PipelineInput& input, SchemaPtr schema,
                                            std::shared_ptr<const ServedRows::Root> root) {
  return std::make_unique<ServedInput>(input, std::move(schema), std::move(root));
}

}  // namespace millrace
