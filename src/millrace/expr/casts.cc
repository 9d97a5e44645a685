#include "millrace/expr/casts.h"

#include "millrace/base/check.h"
#include "millrace/expr/cast_kernels.h"

namespace millrace {

namespace {

using internal::MapUnary;

/// PostgreSQL widens numbers in this order; the TypeIds follow it except for numeric.
int WideningRank(TypeId id) {
  switch (id) {
    case TypeId::kInt16:
      return 0;
    case TypeId::kInt32:
      return 1;
    case TypeId::kInt64:
      return 2;
    case TypeId::kNumeric:
      return 3;
    case TypeId::kFloat32:
      return 4;
    default:
      return 5;
  }
}

bool IsJsonScalar(const DataType& type) { return type.is_number() || type.id == TypeId::kBoolean; }

bool IsTimestamp(const DataType& type) {
  return type.id == TypeId::kTimestamp || type.id == TypeId::kTimestamptz;
}

bool IsExplicit(TypeId from, TypeId to) {
  return from == TypeId::kText || (from == TypeId::kInt32 && to == TypeId::kBoolean) ||
         (from == TypeId::kBoolean && to == TypeId::kInt32);
}

constexpr Micros kDay = kMicrosPerDay;

Column TimestampToDate(const KernelCall& call) {
  return MapUnary<Micros, int32_t>(call, [](Micros at) {
    return static_cast<int32_t>(at >= 0 ? at / kDay : -((-at + kDay - 1) / kDay));
  });
}

Column DateToTimestamp(const KernelCall& call) {
  return MapUnary<int32_t, Micros>(call, [](int32_t days) { return days * kDay; });
}

Column BooleanToInteger(const KernelCall& call) {
  return internal::ComputeRows<int32_t>(
      call, [&](size_t row) { return call.argument(0).Bool(row) ? 1 : 0; });
}

Column IntegerToBoolean(const KernelCall& call) {
  return internal::BooleanResult(call, internal::PackBits(call.rows, [&](size_t row) {
                                   return call.argument(0).At<int32_t>(row) != 0;
                                 }));
}

}  // namespace

bool CanCast(const DataType& from, const DataType& to, CastContext context) {
  if (from.is_array() && to.is_array()) {
    return CanCast(from.element_type(), to.element_type(), context);
  }
  if (from.id == to.id) {
    return true;
  }
  if (from.is_number() && to.is_number()) {
    return context >= CastContext::kAssignment || WideningRank(from.id) < WideningRank(to.id);
  }
  if (IsTimestamp(to) && (from.id == TypeId::kDate || from.id == TypeId::kTimestamp)) {
    return true;
  }
  if (to.id == TypeId::kText ||
      (IsTimestamp(from) && (IsTimestamp(to) || to.id == TypeId::kDate))) {
    return context >= CastContext::kAssignment;
  }
  if (context != CastContext::kExplicit) {
    return false;
  }
  return IsExplicit(from.id, to.id) || (from.id == TypeId::kJsonb && IsJsonScalar(to));
}

bool CastMayFail(const DataType& from, const DataType& to) {
  if (to.id == TypeId::kText || from == to) {
    return false;
  }
  if (from.is_array() && to.is_array()) {
    return CastMayFail(from.element_type(), to.element_type());
  }
  if (from.is_integer() && to.is_number() && to.id != TypeId::kNumeric) {
    return WideningRank(from.id) > WideningRank(to.id);
  }
  const bool total = from.id == TypeId::kDate || IsTimestamp(from) || from.id == TypeId::kBoolean ||
                     to.id == TypeId::kBoolean;
  return !total || from.id == TypeId::kText || from.id == TypeId::kJsonb;
}

Column CastColumn(const KernelCall& call) {
  const DataType& from = call.argument(0).column.type();
  const DataType& to = call.type;
  if (from == to) {
    return call.argument(0).column;
  }
  if (from.is_number() && to.is_number()) {
    return internal::CastNumber(call);
  }
  if (from.is_array() && to.is_array()) {
    return internal::CastArray(call);
  }
  if (to.id == TypeId::kText) {
    return internal::CastToText(call);
  }
  if (from.id == TypeId::kText) {
    return internal::CastFromText(call);
  }
  if (from.id == TypeId::kJsonb) {
    return internal::CastFromJson(call);
  }
  if (from.id == TypeId::kBoolean) {
    return BooleanToInteger(call);
  }
  if (to.id == TypeId::kBoolean) {
    return IntegerToBoolean(call);
  }
  if (IsTimestamp(from) && IsTimestamp(to)) {
    return MapUnary<Micros, Micros>(call, [](Micros at) { return at; });  // The zone is UTC.
  }
  MR_CHECK(from.id == TypeId::kDate || to.id == TypeId::kDate, "{} to {}", from.ToString(),
           to.ToString());
  return to.id == TypeId::kDate ? TimestampToDate(call) : DateToTimestamp(call);
}

}  // namespace millrace
