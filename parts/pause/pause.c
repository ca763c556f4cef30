/*
 * The process that holds a pod's namespaces open. It does nothing until it is told to end, and
 * reaps what the pod's other containers leave behind when they share its process namespace.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void leave(int number) {
  (void)number;
  _exit(EXIT_SUCCESS);
}

static void reap(int number) {
  (void)number;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}

static void handle(int number, void (*handler)(int), int flags) {
  struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
  sigemptyset(&action.sa_mask);
  if (sigaction(number, &action, NULL) != 0) {
    perror("sigaction");
    exit(EXIT_FAILURE);
  }
}

int main(void) {
  handle(SIGINT, leave, 0);
  handle(SIGTERM, leave, 0);
  handle(SIGCHLD, reap, SA_NOCLDSTOP);
  for (;;) {
    pause();
  }
}
