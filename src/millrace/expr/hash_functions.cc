#include <array>
#include <string>

#include <openssl/evp.h>
#include <zlib.h>

#include "millrace/base/check.h"
#include "millrace/expr/functions.h"
#include "millrace/expr/text_rows.h"

namespace millrace::internal {

namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

struct FreeDigest {
  void operator()(EVP_MD* digest) const { EVP_MD_free(digest); }
};

/// Computes digests one after the other; made once per call of a kernel.
class Digester {
 public:
  explicit Digester(const char* name)
      : digest_(EVP_MD_fetch(nullptr, name, nullptr)), context_(EVP_MD_CTX_new()) {
    MR_CHECK(digest_ != nullptr && context_ != nullptr, "no digest {}", name);
  }

  /// Valid until the next call.
  std::string_view Digest(std::string_view bytes) {
    unsigned int size = 0;
    const bool done = EVP_DigestInit_ex(context_.get(), digest_.get(), nullptr) == 1 &&
                      EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1 &&
                      EVP_DigestFinal_ex(context_.get(), value_.data(), &size) == 1;
    MR_CHECK(done, "a digest fails");
    return {reinterpret_cast<const char*>(value_.data()), size};
  }

 private:
  std::unique_ptr<EVP_MD, FreeDigest> digest_;
  std::unique_ptr<EVP_MD_CTX, FreeContext> context_;
  std::array<unsigned char, EVP_MAX_MD_SIZE> value_{};
};

constexpr char kMd5[] = "MD5";
constexpr char kSha224[] = "SHA2-224";
constexpr char kSha256[] = "SHA2-256";
constexpr char kSha384[] = "SHA2-384";
constexpr char kSha512[] = "SHA2-512";

template <const char* kName>
Column DigestKernel(const KernelCall& call) {
  Digester digester(kName);
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    out.AppendText(digester.Digest(call.argument(0).Text(row)));
  });
}

/// md5 gives hexadecimal digits, of text and of bytes.
Column Md5Kernel(const KernelCall& call) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Digester digester(kMd5);
  std::string text;
  return BuildRows(call, [&](size_t row, ColumnBuilder& out) {
    text.clear();
    for (const char c : digester.Digest(call.argument(0).Text(row))) {
      const auto byte = static_cast<unsigned char>(c);
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    out.AppendText(text);
  });
}

/// The CRC-32 of zip and PNG files.
Column Crc32Kernel(const KernelCall& call) {
  return ComputeRows<int64_t>(call, [&](size_t row) {
    const std::string_view bytes = call.argument(0).Text(row);
    return static_cast<int64_t>(
        crc32_z(0, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
  });
}

void Add(std::vector<ScalarFunction>& out, std::string_view name, TypeId argument, TypeId result,
         Kernel kernel) {
  out.push_back({.name = name,
                 .arguments = {argument},
                 .result = DataType::Of(result),
                 .kernel = kernel,
                 .may_fail = false});
}

}  // namespace

void AddHashFunctions(std::vector<ScalarFunction>& out) {
  constexpr TypeId kText = TypeId::kText;
  constexpr TypeId kBytea = TypeId::kBytea;
  Add(out, "md5", kText, kText, Md5Kernel);
  Add(out, "md5", kBytea, kText, Md5Kernel);
  Add(out, "sha224", kBytea, kBytea, DigestKernel<kSha224>);
  Add(out, "sha256", kBytea, kBytea, DigestKernel<kSha256>);
  Add(out, "sha384", kBytea, kBytea, DigestKernel<kSha384>);
  Add(out, "sha512", kBytea, kBytea, DigestKernel<kSha512>);
  Add(out, "crc32", kBytea, TypeId::kInt64, Crc32Kernel);
}

}  // namespace millrace::internal
