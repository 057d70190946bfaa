//===- ArchiveCheck.cpp - Is this file a whole TorchScript archive? -------===//
//
// Reads the zip directory by itself: LibTorch neither checks the sums nor tells a truncated archive
// from a file of another kind. The format is APPNOTE.TXT of PKWARE, sections 4.3.7 to 4.3.16.
//
//===----------------------------------------------------------------------===//
#include "ArchiveCheck.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/Endian.h"

#include <zlib.h>

using namespace llvm;
using namespace torchlite::import;

namespace {
/// One record as the directory describes it.
struct Record {
  StringRef name;
  uint16_t method = 0;
  uint32_t checksum = 0;
  uint64_t compressedSize = 0;
  uint64_t size = 0;
  uint64_t headerOffset = 0;
};

/// Little-endian numbers at a position of a string; a read past the end sets `failed`.
struct Reader {
  StringRef data;
  uint64_t position;
  bool failed = false;

  template <typename T> T read() {
    if (failed || position > data.size() || data.size() - position < sizeof(T)) {
      failed = true;
      return 0;
    }
    T value = support::endian::read<T, endianness::little>(data.data() + position);
    position += sizeof(T);
    return value;
  }
  StringRef readString(uint64_t size) {
    if (failed || position > data.size() || data.size() - position < size) {
      failed = true;
      return {};
    }
    StringRef value = data.substr(position, size);
    position += size;
    return value;
  }
};
} // namespace

static constexpr uint32_t kLocalHeader = 0x04034b50, kDirectoryEntry = 0x02014b50,
                          kEndOfDirectory64 = 0x06064b50, kLocator64 = 0x07064b50;
static constexpr uint16_t kStored = 0, kDeflated = 8;

static Error error(const Twine &message) {
  return createStringError(inconvertibleErrorCode(), message);
}

/// The directory is found from the end of the file; without an end there was a truncation.
static Error findDirectory(StringRef data, uint64_t &offset, uint64_t &count) {
  // The end record is 22 bytes and a comment of at most 65535.
  size_t tail = data.size() > 22 + 65535 ? data.size() - 22 - 65535 : 0;
  size_t end = data.substr(tail).rfind(StringRef("PK\x05\x06", 4));
  if (end == StringRef::npos)
    return error("the archive is truncated: its directory is missing");
  Reader reader{data, tail + end + 8};
  reader.read<uint16_t>(); // Entries on this disk.
  count = reader.read<uint16_t>();
  reader.read<uint32_t>(); // Size of the directory.
  offset = reader.read<uint32_t>();
  reader.readString(reader.read<uint16_t>()); // Comment.
  if (tail + end >= 20) {
    Reader locator{data, tail + end - 20};
    if (locator.read<uint32_t>() == kLocator64) {
      locator.read<uint32_t>(); // Disk.
      Reader end64{data, locator.read<uint64_t>()};
      if (end64.read<uint32_t>() != kEndOfDirectory64)
        return error("the archive is corrupt: its 64-bit directory is not where it should be");
      end64.position += 28;
      count = end64.read<uint64_t>();
      end64.read<uint64_t>();
      offset = end64.read<uint64_t>();
      if (end64.failed)
        return error("the archive is truncated: its 64-bit directory is not complete");
    }
  }
  return reader.failed ? error("the archive is truncated: its directory is not complete")
                       : Error::success();
}

/// Reads one entry of the directory, with the 64-bit sizes of its extra field.
static bool readEntry(Reader &reader, Record &record) {
  if (reader.read<uint32_t>() != kDirectoryEntry)
    return false;
  reader.position += 6; // Versions and flags.
  record.method = reader.read<uint16_t>();
  reader.position += 4; // Time and date.
  record.checksum = reader.read<uint32_t>();
  record.compressedSize = reader.read<uint32_t>();
  record.size = reader.read<uint32_t>();
  uint16_t nameSize = reader.read<uint16_t>(), extraSize = reader.read<uint16_t>(),
           commentSize = reader.read<uint16_t>();
  reader.position += 8; // Disk and file attributes.
  record.headerOffset = reader.read<uint32_t>();
  record.name = reader.readString(nameSize);
  Reader extra{reader.readString(extraSize), 0};
  while (!extra.failed && extra.position + 4 <= extra.data.size()) {
    uint16_t kind = extra.read<uint16_t>();
    Reader field{extra.readString(extra.read<uint16_t>()), 0};
    if (extra.failed)
      break; // Not all that other programs write here is well formed, and none of it is ours.
    if (kind != 1)
      continue;
    for (uint64_t *value : {&record.size, &record.compressedSize, &record.headerOffset})
      if (*value == 0xffffffff)
        *value = field.read<uint64_t>();
    reader.failed |= field.failed;
  }
  reader.readString(commentSize);
  return !reader.failed;
}

/// The bytes of a record as they lie in the file.
static Expected<StringRef> findContent(StringRef data, const Record &record) {
  Reader header{data, record.headerOffset};
  uint32_t signature = header.read<uint32_t>();
  header.position += 22;
  uint64_t skip = uint64_t(header.read<uint16_t>());
  skip += header.read<uint16_t>();
  if (header.failed || signature != kLocalHeader)
    return error("the archive is corrupt: the record '" + record.name + "' has no header");
  header.readString(skip);
  StringRef content = header.readString(record.compressedSize);
  if (header.failed)
    return error("the archive is truncated: the record '" + record.name + "' is not complete");
  return content;
}

/// Inflates a record to the size that the directory tells, or fails.
static Error inflateRecord(StringRef content, const Record &record, SmallVectorImpl<char> &output) {
  output.resize_for_overwrite(record.size);
  z_stream stream = {};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
    return error("out of memory");
  char nothing;
  stream.next_in = reinterpret_cast<Bytef *>(const_cast<char *>(content.data()));
  stream.avail_in = content.size();
  stream.next_out = reinterpret_cast<Bytef *>(output.empty() ? &nothing : output.data());
  stream.avail_out = output.size();
  int status = inflate(&stream, Z_FINISH);
  bool isWhole = status == Z_STREAM_END && stream.avail_out == 0;
  inflateEnd(&stream);
  if (!isWhole)
    return error("the archive is corrupt: the record '" + record.name + "' cannot be inflated");
  return Error::success();
}

/// Whether LibTorch reads the values of a record. (It leaves `traced_inputs.pkl`, whose storages
/// have no bytes.)
static bool isPickle(StringRef name) {
  return name == "data.pkl" || name == "constants.pkl" || name.ends_with(".debug_pkl");
}

namespace {
/// The records of one archive and what they hold.
class Checker {
public:
  explicit Checker(StringRef data) : data(data) {}
  Error run();

private:
  Error readDirectory();
  /// Before anything is read: what all records together take.
  Error checkLimits();
  Error checkKind();
  Error checkRecord(const Record &record);
  Error checkContent(const Record &record, StringRef content);

  /// The name within the archive's folder; LibTorch takes the first record's. Empty: elsewhere.
  StringRef localName(const Record &record) const {
    StringRef name = record.name;
    return name.consume_front(folder) ? name : StringRef();
  }

  StringRef data, folder;
  SmallVector<Record> records;
  StringMap<uint64_t> sizes;
};
} // namespace

Error Checker::readDirectory() {
  uint64_t offset = 0, count = 0;
  if (Error failure = findDirectory(data, offset, count))
    return failure;
  if (count > kMaxRecords)
    return error("the archive has " + Twine(count) + " records; the limit is " +
                 Twine(kMaxRecords));
  Reader reader{data, offset};
  for (uint64_t i = 0; i != count; ++i) {
    Record record;
    if (!readEntry(reader, record))
      return error("the archive is corrupt: entry " + Twine(i) + " of " + Twine(count) +
                   " of its directory cannot be read");
    records.push_back(record);
  }
  if (!records.empty())
    folder = records.front().name.take_front(records.front().name.find('/') + 1);
  return Error::success();
}

Error Checker::checkLimits() {
  uint64_t stored = 0, inflated = 0;
  for (const Record &record : records) {
    if (record.method != kStored && record.method != kDeflated)
      return error("the record '" + record.name + "' is compressed in a way that is not supported");
    if (record.method == kStored && record.compressedSize != record.size)
      return error("the archive is corrupt: the record '" + record.name + "' has two sizes");
    if (record.compressedSize > data.size())
      return error("the archive is truncated: the record '" + record.name + "' is not complete");
    // No sum wraps: each addend is small, and the sum before was.
    stored += record.compressedSize;
    if (record.method == kDeflated)
      inflated += std::min(record.size, kMaxInflated + 1);
    if (inflated > kMaxInflated)
      return error("the archive's compressed records inflate to more than " +
                   Twine(kMaxInflated >> 20) + " MiB");
    if (stored > data.size())
      return error("the archive is corrupt: its records overlap");
    // LibTorch takes one of two records of a name, without regard to case.
    std::string name =
        localName(record).starts_with("code/") ? record.name.str() : record.name.lower();
    if (!sizes.try_emplace(name, record.size).second)
      return error("the archive is corrupt: it has two records '" + record.name + "'");
  }
  return Error::success();
}

Error Checker::checkKind() {
  bool hasCode = false, hasConstants = false, hasData = false;
  for (const Record &record : records) {
    StringRef name = localName(record);
    hasCode |= name.starts_with("code/");
    hasConstants |= name == "constants.pkl";
    hasData |= name == "data.pkl";
  }
  if (hasCode && hasConstants && hasData)
    return Error::success();
  if (hasData)
    return error("not a TorchScript archive: it has data but no code, as torch.save writes it "
                 "for a state_dict or a module; save the model with torch.jit.save");
  return error("not a TorchScript archive but another zip file: it has no 'data.pkl'");
}

/// Code and pickles; other records are numbers.
Error Checker::checkContent(const Record &record, StringRef content) {
  StringRef name = localName(record);
  if (name.ends_with(".py"))
    return checkCode(content, name);
  if (!isPickle(name))
    return Error::success();
  // `data.pkl` has its storages in `data/`.
  std::string prefix = (folder + name.take_front(name.rfind('.')) + "/").str();
  return checkPickle(content, name, [&](StringRef key) -> std::optional<uint64_t> {
    auto it = sizes.find(StringRef(prefix + key.str()).lower());
    return it == sizes.end() ? std::nullopt : std::optional(it->second);
  });
}

Error Checker::checkRecord(const Record &record) {
  Expected<StringRef> content = findContent(data, record);
  if (!content)
    return content.takeError();
  SmallVector<char, 0> inflated;
  if (record.method == kDeflated) {
    // What is not looked into is inflated by LibTorch alone, which checks its size.
    StringRef name = localName(record);
    if (!name.ends_with(".py") && !isPickle(name))
      return Error::success();
    if (Error failure = inflateRecord(*content, record, inflated))
      return failure;
    content = StringRef(inflated.data(), inflated.size());
  }
  // A sum of zero was not computed (torch.serialization.set_crc32_options).
  uint32_t actual = record.checksum ? llvm::crc32(arrayRefFromStringRef<uint8_t>(*content)) : 0;
  if (actual != record.checksum)
    return error("the archive is corrupt: the record '" + record.name + "' has the checksum 0x" +
                 Twine::utohexstr(actual) + " instead of 0x" + Twine::utohexstr(record.checksum));
  return checkContent(record, *content);
}

Error Checker::run() {
  if (Error failure = readDirectory())
    return failure;
  if (Error failure = checkKind())
    return failure;
  if (Error failure = checkLimits())
    return failure;
  for (const Record &record : records)
    if (Error failure = checkRecord(record))
      return failure;
  return Error::success();
}

Error torchlite::import::checkArchive(StringRef data) {
  if (data.empty())
    return error("the file is empty");
  if (!data.starts_with(StringRef("PK\x03\x04", 4))) {
    if (data.starts_with(StringRef("\x80\x02", 2)))
      return error("not a TorchScript archive but a pickle file, as old versions of torch.save "
                   "wrote them; save the model with torch.jit.save");
    return error("not a TorchScript archive: it does not begin like a zip file");
  }
  return Checker(data).run();
}
