/* A WebSocket load client in one thread, so that the server and not the client is measured.
 *
 * It opens sockets, says hello on each and waits for the first frame ("ready" on stdout); on "go" it
 * publishes events through one more socket, by a rate (open loop: lateness counts from the moment an
 * event was due) or with a fixed number under way (closed loop), and prints one line of JSON.
 *
 * An event is a JSON text holding `"t=<19 digits of ns> s=<10 digits> u=<6 digits>`, found in whatever
 * frame carries it: several in one frame count as several. Linux only (epoll).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTING, SHAKING, WAITING, LIVE };

typedef struct {
    int fd, state, paused;
    char *in;
    size_t have, room;
    uint64_t asked;   /* when the hello was sent, ns */
    uint32_t *last;   /* the newest event seen of each user */
} Sock;

static int port, count = 1, users = 1, watched, space, inflight, paused, at_once = 100, again;
static double rate, seconds = 2;
static const char *sub = "/sub", *pub = "/pub", *origin = "";
static char **cookies;
static int cookie_count;
static Sock *socks, publisher;
static int poll_fd, live, opened;
static uint64_t started, *subscribe_ns, *late;
static size_t subscribed, late_count, late_room;
static uint64_t delivered, *left_of; /* left_of[event]: sockets that still miss it */
static uint32_t published, done, *last_of, first_event;

static uint64_t now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

static void die(const char *what) {
    fprintf(stderr, "load: %s (%s)\n", what, strerror(errno));
    exit(1);
}

static void write_all(int fd, const char *data, size_t size) {
    while (size) {
        ssize_t n = write(fd, data, size);
        if (n > 0) { data += n; size -= n; }
        else if (errno != EAGAIN && errno != EINTR) die("write");
    }
}

static void send_frame(int fd, const char *text, size_t size, int opcode) {
    static char frame[70000];
    size_t head = 2;
    frame[0] = 0x80 | opcode;
    if (size < 126) frame[1] = 0x80 | size;
    else { frame[1] = 0x80 | 126; frame[2] = size >> 8; frame[3] = size; head = 4; }
    memset(frame + head, 0, 4); /* a mask of zeros: the text goes as it is */
    memcpy(frame + head + 4, text, size);
    write_all(fd, frame, head + 4 + size);
}

static void say_hello(int index, Sock *s) {
    static char text[60000];
    size_t size = sprintf(text, "{\"type\":\"watch\",\"users\":[");
    for (int j = 0; j < watched; j++)
        size += sprintf(text + size, "%s\"%d\"", j ? "," : "", (int)(((long)index * watched + j) % space) + 1);
    size += sprintf(text + size, "]}");
    s->asked = now_ns();
    send_frame(s->fd, text, size, 1);
}

static void open_socket(Sock *s) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, small = 4096;
    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (s->fd < 0) die("socket");
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (s->paused) setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(s->fd, (struct sockaddr *)&to, sizeof to) < 0 && errno != EINPROGRESS) die("connect");
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = s};
    epoll_ctl(poll_fd, EPOLL_CTL_ADD, s->fd, &e);
    s->state = CONNECTING;
    s->have = 0;
}

static void shake(int index, Sock *s, const char *path) {
    char text[2000];
    int size = sprintf(text,
        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n%s%s%s%s\r\n",
        path, port, *origin ? origin : "", *origin ? "\r\n" : "",
        cookie_count ? cookies[index % cookie_count] : "", cookie_count ? "\r\n" : "");
    write_all(s->fd, text, size);
    s->state = SHAKING;
}

static void note_late(uint64_t ns) {
    if (late_count == late_room) {
        late_room = late_room ? late_room * 2 : 1 << 20;
        late = realloc(late, late_room * sizeof *late);
    }
    late[late_count++] = ns;
}

static void read_text(Sock *s, char *text, size_t size) {
    char *end = text + size, kept = *end;
    *end = 0;
    if (s->state == WAITING) {
        s->state = LIVE;
        live++;
        subscribe_ns[subscribed++] = now_ns() - s->asked;
    }
    for (char *p = text; (p = strstr(p, "t=")) && p + 43 <= end; p += 2) {
        uint64_t t = strtoull(p + 2, NULL, 10);
        uint32_t event = strtoul(p + 24, NULL, 10), user = strtoul(p + 37, NULL, 10);
        if (!started || t < started || event < first_event || event >= published || user >= (uint32_t)users + 1) continue;
        if (event > s->last[user] || s->last[user] == UINT32_MAX) s->last[user] = event;
        delivered++;
        note_late(now_ns() - t);
        if (left_of && left_of[event] && --left_of[event] == 0) done++;
    }
    *end = kept;
}

static void read_frames(Sock *s) {
    size_t at = 0;
    while (s->have - at >= 2) {
        unsigned char *f = (unsigned char *)s->in + at;
        size_t size = f[1] & 127, head = 2;
        if (size == 126) { if (s->have - at < 4) break; size = f[2] << 8 | f[3]; head = 4; }
        else if (size == 127) {
            if (s->have - at < 10) break;
            size = 0; head = 10;
            for (int i = 2; i < 10; i++) size = size << 8 | f[i];
        }
        if (s->have - at < head + size) {
            if (head + size + 1 > s->room) { s->room = head + size + 1; memmove(s->in, s->in + at, s->have -= at); at = 0; s->in = realloc(s->in, s->room + 1); }
            break;
        }
        int opcode = f[0] & 15;
        if (opcode == 1) read_text(s, (char *)f + head, size);
        else if (opcode == 9) send_frame(s->fd, (char *)f + head, size, 10);
        else if (opcode == 8) { errno = 0; die("the server closed a socket"); }
        at += head + size;
    }
    memmove(s->in, s->in + at, s->have - at);
    s->have -= at;
}

static void handle(Sock *s, uint32_t events) {
    int index = s == &publisher ? 0 : (int)(s - socks);
    const char *path = s == &publisher ? pub : sub;
    if (s->state == CONNECTING) {
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = s};
        epoll_ctl(poll_fd, EPOLL_CTL_MOD, s->fd, &e);
        shake(index, s, path);
        return;
    }
    if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR))) return;
    for (;;) {
        if (s->room - s->have < 4096) { s->room = s->room ? s->room * 2 : 8192; s->in = realloc(s->in, s->room + 1); }
        ssize_t n = read(s->fd, s->in + s->have, s->room - s->have);
        if (n == 0) { errno = 0; die("a socket was closed"); }
        if (n < 0) { if (errno == EAGAIN || errno == EINTR) break; die("read"); }
        s->have += n;
        if (s->state == SHAKING) {
            s->in[s->have] = 0;
            char *end = strstr(s->in, "\r\n\r\n");
            if (!end) continue;
            if (!strstr(s->in, " 101 ")) { errno = 0; fprintf(stderr, "%.200s\n", s->in); die("no 101"); }
            size_t head = end + 4 - s->in;
            memmove(s->in, s->in + head, s->have -= head);
            if (s == &publisher) s->state = LIVE;
            else if (watched) { s->state = WAITING; say_hello(index, s); }
            else { s->state = LIVE; live++; subscribe_ns[subscribed++] = 0; }
            if (s == &publisher) live++;
        }
        read_frames(s);
    }
}

static void turn(int wait_ms) {
    struct epoll_event found[512];
    int n = epoll_wait(poll_fd, found, 512, wait_ms);
    for (int i = 0; i < n; i++) handle(found[i].data.ptr, found[i].events);
}

static void publish(uint64_t due) {
    char text[400];
    uint32_t user = published % users;
    int size = sprintf(text, "{\"user\":\"%u\",\"message\":\"t=%019llu s=%010u u=%06u ", user + 1, (unsigned long long)due, published, user);
    while (size < 198) text[size++] = '.';
    size += sprintf(text + size, "\"}");
    last_of[user] = published++;
    send_frame(publisher.fd, text, size, 1);
}

static int by_size(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double ms_at(uint64_t *all, size_t n, double share) {
    if (!n) return 0;
    qsort(all, n, sizeof *all, by_size);
    size_t at = n * share;
    return all[at < n ? at : n - 1] / 1e6;
}

static int watches(int index, uint32_t user) {
    if (!watched || watched >= space) return 1;
    long from = (long)index * watched % space;
    return (((long)user - from) % space + space) % space < watched;
}

int main(int argc, char **argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
        char *name = argv[i], *value = argv[i + 1];
        if (!strcmp(name, "--port")) port = atoi(value);
        else if (!strcmp(name, "--sockets")) count = atoi(value);
        else if (!strcmp(name, "--users")) users = atoi(value);
        else if (!strcmp(name, "--watch")) watched = atoi(value);
        else if (!strcmp(name, "--rate")) rate = atof(value);
        else if (!strcmp(name, "--inflight")) inflight = atoi(value);
        else if (!strcmp(name, "--seconds")) seconds = atof(value);
        else if (!strcmp(name, "--paused")) paused = atoi(value);
        else if (!strcmp(name, "--again")) again = atoi(value);
        else if (!strcmp(name, "--at-once")) at_once = atoi(value);
        else if (!strcmp(name, "--sub")) sub = value;
        else if (!strcmp(name, "--pub")) pub = value;
        else if (!strcmp(name, "--origin")) origin = value;
        else if (!strcmp(name, "--cookies")) {
            FILE *f = fopen(value, "r");
            char line[1000];
            if (!f) die(value);
            while (fgets(line, sizeof line, f)) {
                line[strcspn(line, "\n")] = 0;
                cookies = realloc(cookies, ++cookie_count * sizeof *cookies);
                cookies[cookie_count - 1] = strdup(line);
            }
        } else { errno = 0; die(name); }
    }
    space = users;
    poll_fd = epoll_create1(0);
    socks = calloc(count, sizeof *socks);
    subscribe_ns = calloc((size_t)count * 2, sizeof *subscribe_ns);
    last_of = malloc((users + 1) * sizeof *last_of);
    memset(last_of, 255, (users + 1) * sizeof *last_of);
    for (int i = 0; i < count; i++) {
        socks[i].last = malloc((users + 1) * sizeof(uint32_t));
        memset(socks[i].last, 255, (users + 1) * sizeof(uint32_t));
        socks[i].paused = i < paused;
    }
    uint64_t began = now_ns();
    while (live < count) {
        while (opened < count && opened - live < at_once) { open_socket(&socks[opened]); opened++; }
        turn(100);
        if (now_ns() - began > 120000000000u) { errno = 0; die("not all sockets came up"); }
    }
    double up_in = (now_ns() - began) / 1e9;
    open_socket(&publisher);
    while (live < count + 1) turn(100);
    printf("ready\n"); fflush(stdout);
    char line[16];
    if (!fgets(line, sizeof line, stdin)) return 1;
    if (again) {
        subscribed = 0;
        for (int i = 0; i < count; i++) {
            socks[i].state = WAITING; live--;
            say_hello(i, &socks[i]);
            while (socks[i].state == WAITING) turn(1000);
        }
    }
    for (int i = 0; i < paused; i++) epoll_ctl(poll_fd, EPOLL_CTL_DEL, socks[i].fd, NULL);
    uint64_t expected = 0;
    started = now_ns();
    uint64_t stop = started + (uint64_t)(seconds * 1e9), quiet_at = 0;
    if (rate > 0) {
        uint64_t due = started;
        while (due < stop) {
            uint64_t now = now_ns();
            if (now >= due) { publish(due); due += (uint64_t)(1e9 / rate); turn(0); }
            else turn((int)((due - now) / 1000000));
        }
    } else if (inflight > 0) {
        left_of = calloc(50000000, sizeof *left_of);
        while (now_ns() < stop) {
            while (published - done < (uint32_t)inflight) { left_of[published] = count - paused; publish(now_ns()); }
            turn(10);
        }
    }
    double took = 0;
    for (uint32_t e = 0; e < published; e++)
        if (!watched || watched >= space) expected += count - paused;
    if (watched && watched < space)
        for (int i = paused; i < count; i++)
            for (int u = 0; u < users; u++)
                if (watches(i, u)) expected += published / users + ((uint32_t)u < published % users);
    uint64_t last_seen = delivered;
    quiet_at = now_ns();
    took = (now_ns() - started) / 1e9;
    while (published && delivered < expected && now_ns() - quiet_at < 1500000000u) {
        turn(50);
        if (delivered != last_seen) { last_seen = delivered; quiet_at = now_ns(); took = (now_ns() - started) / 1e9; }
    }
    uint64_t stale = 0;
    for (int i = paused; i < count; i++)
        for (int u = 0; u < users; u++)
            if (last_of[u] != UINT32_MAX && watches(i, u) && socks[i].last[u] != last_of[u]) stale++;
    printf("{\"up_in\":%.3f,\"subscribe_p50\":%.3f,\"subscribe_p99\":%.3f,\"published\":%u,\"delivered\":%llu,"
           "\"expected\":%llu,\"seconds\":%.3f,\"p50\":%.3f,\"p99\":%.3f,\"stale\":%llu}\n",
           up_in, ms_at(subscribe_ns, subscribed, .5), ms_at(subscribe_ns, subscribed, .99), published,
           (unsigned long long)delivered, (unsigned long long)expected, took, ms_at(late, late_count, .5),
           ms_at(late, late_count, .99), (unsigned long long)stale);
    return 0;
}
