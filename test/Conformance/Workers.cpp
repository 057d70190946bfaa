//===- Workers.cpp - Running cases where they can do no harm --------------===//

#include "Workers.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <cerrno>
#include <csignal>
#include <cstring>
#include <poll.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>

using namespace llvm;

namespace conformance {

namespace {

/// A forked process that writes one line of JSON for each case, and the file of its standard error.
class Worker {
public:
  Worker(size_t begin, size_t end, function_ref<json::Object(size_t)> run) {
    errors = std::tmpfile();
    int ends[2];
    if (!errors || pipe(ends) != 0) {
      llvm::errs() << "tl-conformance: " << std::strerror(errno) << "\n";
      std::exit(2);
    }
    llvm::outs().flush();
    pid = fork();
    if (pid == 0) {
      close(ends[0]);
      dup2(fileno(errors), STDERR_FILENO);
      for (size_t i = begin; i < end; ++i) {
        std::string line;
        raw_string_ostream(line) << json::Value(run(i)) << "\n";
        for (size_t done = 0; done < line.size();) {
          ssize_t written = write(ends[1], line.data() + done, line.size() - done);
          if (written <= 0)
            _exit(3);
          done += written;
        }
      }
      _exit(0);
    }
    close(ends[1]);
    input = ends[0];
  }

  ~Worker() {
    close(input);
    std::fclose(errors);
  }

  enum class Read { Line, End, Timeout };

  /// The next line, or why there is none.
  Read readLine(unsigned seconds, std::string &line) {
    while (true) {
      size_t newline = buffer.find('\n');
      if (newline != std::string::npos) {
        line = buffer.substr(0, newline);
        buffer.erase(0, newline + 1);
        return Read::Line;
      }
      pollfd wait = {input, POLLIN, 0};
      int ready = poll(&wait, 1, seconds * 1000);
      if (ready < 0 && errno == EINTR)
        continue;
      if (ready == 0)
        return Read::Timeout;
      char chunk[4096];
      ssize_t count = read(input, chunk, sizeof(chunk));
      if (count <= 0)
        return Read::End;
      buffer.append(chunk, count);
    }
  }

  /// Ends the process; the text says how it died.
  std::string finish(bool timedOut) {
    if (timedOut)
      kill(pid, SIGKILL);
    int status = 0;
    waitpid(pid, &status, 0);
    if (timedOut)
      return "timed out";
    if (WIFSIGNALED(status))
      return std::string("signal ") + strsignal(WTERMSIG(status));
    return "exit " + std::to_string(WEXITSTATUS(status));
  }

  /// What tells most about a crash: the assertion, or else the first line.
  std::string readErrors() {
    std::string text(16384, '\0');
    std::fseek(errors, 0, SEEK_END);
    long size = std::ftell(errors);
    std::fseek(errors, size > 16384 ? size - 16384 : 0, SEEK_SET);
    text.resize(std::fread(text.data(), 1, text.size(), errors));
    SmallVector<StringRef> lines;
    StringRef(text).split(lines, '\n', -1, /*KeepEmpty=*/false);
    for (StringRef line : llvm::reverse(lines))
      if (line.contains("Assertion") || line.contains("ERROR:") ||
          line.contains("terminate called") || line.contains("UNREACHABLE") ||
          line.contains("LLVM ERROR"))
        return line.str();
    return lines.empty() ? std::string() : lines.front().str();
  }

private:
  pid_t pid = 0;
  int input = -1;
  FILE *errors = nullptr;
  std::string buffer;
};

} // namespace

void runInWorkers(size_t count, unsigned seconds, function_ref<json::Object(size_t)> run,
                  function_ref<void(size_t, json::Object)> report) {
  // A process serves this many cases at most: what one case leaks or corrupts stays bounded.
  constexpr size_t casesPerProcess = 100;
  for (size_t next = 0; next < count;) {
    size_t end = std::min(count, next + casesPerProcess);
    Worker worker(next, end, run);
    Worker::Read read = Worker::Read::Line;
    std::string line;
    while (next < end && (read = worker.readLine(seconds, line)) == Worker::Read::Line) {
      Expected<json::Value> answer = json::parse(line);
      if (!answer || !answer->getAsObject()) {
        consumeError(answer.takeError());
        report(next++, json::Object{{"outcome", "crashed"}, {"reason", "wrote no answer"}});
        continue;
      }
      report(next++, std::move(*answer->getAsObject()));
    }
    std::string death = worker.finish(read == Worker::Read::Timeout);
    if (next < end)
      report(next++, json::Object{{"outcome", "crashed"},
                                  {"reason", json::fixUTF8(death + ": " + worker.readErrors())}});
  }
}

} // namespace conformance
