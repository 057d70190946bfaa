//===- ArchiveCheck.cpp - Is this file a whole TorchScript archive? -------===//
//
// Reads the zip directory by itself: LibTorch neither checks the sums nor tells a truncated archive
// from a file of another kind. The format is APPNOTE.TXT of PKWARE, sections 4.3.7 to 4.3.16.
//
//===----------------------------------------------------------------------===//
#include "Archive.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CRC.h"
#include "llvm/Support/Endian.h"

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
static constexpr uint16_t kStored = 0;

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
  while (extra.position + 4 <= extra.data.size()) {
    uint16_t kind = extra.read<uint16_t>();
    Reader field{extra.readString(extra.read<uint16_t>()), 0};
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

static Error checkRecord(StringRef data, const Record &record) {
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
  // Compressed records are checked as LibTorch inflates and parses them. A sum of zero was not
  // computed (torch.serialization.set_crc32_options).
  if (record.method != kStored || record.checksum == 0)
    return Error::success();
  uint32_t actual = llvm::crc32(arrayRefFromStringRef<uint8_t>(content));
  if (actual != record.checksum)
    return error("the archive is corrupt: the record '" + record.name + "' has the checksum 0x" +
                 Twine::utohexstr(actual) + " instead of 0x" + Twine::utohexstr(record.checksum));
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
  uint64_t offset = 0, count = 0;
  if (Error failure = findDirectory(data, offset, count))
    return failure;
  SmallVector<Record> records;
  Reader reader{data, offset};
  for (uint64_t i = 0; i != count; ++i) {
    Record record;
    if (!readEntry(reader, record))
      return error("the archive is corrupt: entry " + Twine(i) + " of " + Twine(count) +
                   " of its directory cannot be read");
    records.push_back(record);
  }
  // All records lie in one folder that is named like the file they were first saved to.
  bool hasCode = false, hasConstants = false, hasData = false;
  for (const Record &record : records) {
    StringRef name = record.name.split('/').second;
    hasCode |= name.starts_with("code/");
    hasConstants |= name == "constants.pkl";
    hasData |= name == "data.pkl";
  }
  if (!hasCode || !hasConstants || !hasData) {
    if (hasData)
      return error("not a TorchScript archive: it has data but no code, as torch.save writes it "
                   "for a state_dict or a module; save the model with torch.jit.save");
    return error("not a TorchScript archive but another zip file: it has no 'data.pkl'");
  }
  for (const Record &record : records)
    if (Error failure = checkRecord(data, record))
      return failure;
  return Error::success();
}
