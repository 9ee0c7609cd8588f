package LocalRun;

# Runs the tasks of a parsed command line on this machine, so many at a time, and
# waits for them: the engine of run.pl and stdout.pl. Each task is a bash with a
# process group of its own. INT, TERM and HUP end every group and then this program;
# USR1 and USR2, which schedulers send ahead of a time limit, are passed on.

use strict;
use warnings;
use CmdLine qw(complain fail for_task);
use Exporter 'import';
use JobLog qw(write_footer write_header);
use JobScript qw(local_script);
use Pick qw(left_by take_pick);
use Report qw(describe_signal interrupted report);
use POSIX qw(:signal_h WNOHANG);

our @EXPORT_OK = qw(run_all);

# Seconds that tasks have after TERM to save what they hold, before KILL.
my $GRACE = 30;
my @FATAL = qw(INT TERM HUP);
my @WARNINGS = qw(USR1 USR2);

my %running;       # pid => {id, log, started}
my @failures;      # {id, log, why}
my $caught = '';   # the signal that ended the run

# $line is CmdLine's result; $tee true shows the output on stdout as well. Returns
# the exit status for the program.
sub run_all {
    my ($line, $tee) = @_;
    my $job = $line->{job} || { start => 1, end => 1 };
    my $count = $job->{end} - $job->{start} + 1;
    my $slots = slots($line, $count);
    my $pick = take_pick($line);
    my $mask = catch_signals();
    for my $id ($job->{start} .. $job->{end}) {
        reap($line) while !$caught && keys %running >= $slots;
        last if $caught;
        my $log = for_task($line->{log}, $line->{job}, $id);
        my $before = left_by($pick, $log);
        if ($before eq '') {
            start($line, $tee, $id, $log, $mask);
        }
        elsif ($before eq 'failed') {
            push @failures, { id => $id, log => $log, why => 'failed before' };
        }
    }
    reap($line) while %running;
    return interrupted($line, $caught, 'ended the running jobs') if $caught;
    return report($line, $count, \@failures);
}

sub slots {
    my ($line, $count) = @_;
    return $line->{max_jobs_run} if defined $line->{max_jobs_run};
    if ($line->{options}{gpu}) {
        my @cards = grep {/^GPU /} `nvidia-smi -L 2>/dev/null`;
        return @cards if @cards;
        complain('Warning: nvidia-smi -L names no GPU, running one job at a time');
        return 1;
    }
    # nproc obeys OMP_NUM_THREADS, which says nothing about how many jobs fit
    local @ENV{qw(OMP_NUM_THREADS OMP_THREAD_LIMIT)};
    delete @ENV{qw(OMP_NUM_THREADS OMP_THREAD_LIMIT)};
    my ($cpus) = `nproc 2>/dev/null || getconf _NPROCESSORS_ONLN` =~ /(\d+)/;
    fail('cannot find the number of processors; give --max-jobs-run') if !$cpus;
    # a few jobs too many run at once rather than as a small second round
    return $count > $cpus && $count < 1.4 * $cpus ? $count : $cpus;
}

# All signals stay blocked but in reap(), so that none falls between the look at
# %running and the wait. Returns the mask that tasks start with.
sub catch_signals {
    $SIG{CHLD} = sub { };
    $SIG{ALRM} = sub { signal_all('KILL') };
    for my $name (@FATAL) {
        next if $name eq 'HUP' && ($SIG{HUP} // '') eq 'IGNORE';    # nohup
        $SIG{$name} = sub {
            # TERM comes more than once, from schedulers and from the recipe that they
            # stop; a second INT is of someone who will not wait
            signal_all($caught eq 'INT' && $name eq 'INT' ? 'KILL' : 'TERM');
            alarm($GRACE) if !$caught;
            $caught ||= $name;
        };
    }
    for my $name (@WARNINGS) {
        $SIG{$name} = sub { signal_all($name) };
    }
    my $block = POSIX::SigSet->new(SIGCHLD, SIGALRM, SIGINT, SIGTERM, SIGHUP,
        SIGUSR1, SIGUSR2);
    my $mask = POSIX::SigSet->new;
    sigprocmask(SIG_BLOCK, $block, $mask);
    return $mask;
}

sub signal_all {
    my ($name) = @_;
    kill($name => map { -$_ } keys %running);
    return;
}

sub start {
    my ($line, $tee, $id, $log, $mask) = @_;
    my $command = for_task($line->{command}, $line->{job}, $id);
    my $error = write_header($log, $command);
    if ($error ne '') {
        push @failures, { id => $id, log => $log, why => $error };
        return;
    }
    pipe(my $from, my $to) or fail("cannot make a pipe: $!");
    my $pid = fork() // fail("cannot start a process for $log: $!");
    if ($pid == 0) {
        setpgrp(0, 0);
        sigprocmask(SIG_SETMASK, $mask);
        open(STDIN, '<&', $from) or die "cannot read the command: $!\n";
        if (!$tee) {
            open(STDOUT, '>>', $log) or die "cannot write $log: $!\n";
            open(STDERR, '>&', \*STDOUT) or die "cannot write $log: $!\n";
        }
        exec('bash', '-s', '--', $log) or die "cannot start bash: $!\n";
    }
    setpgrp($pid, $pid);
    close($from);
    local $SIG{PIPE} = 'IGNORE';
    print {$to} local_script($command, $tee);
    close($to);
    $running{$pid} = { id => $id, log => $log, started => time };
    return;
}

# Waits for a signal or for the end of a task, and books the tasks that ended.
sub reap {
    my ($line) = @_;
    my $pid = waitpid(-1, WNOHANG);
    if ($pid == 0) {
        sigsuspend(POSIX::SigSet->new);
        return;
    }
    my $status = $?;
    my $task = delete $running{$pid} or return;
    # a shell that was shot leaves its command behind
    kill(KILL => -$pid) if $status & 127;
    my $error = write_footer($task->{log}, $status, time - $task->{started},
        $line->{options}{num_threads} // 1);
    my $why = $status == 0 ? '' : describe($status);
    $why = join('; ', grep { $_ ne '' } $why, $error);
    push @failures, { id => $task->{id}, log => $task->{log}, why => $why }
        if $why ne '';
    return;
}

sub describe {
    my ($status) = @_;
    my $code = $status >> 8;
    return describe_signal($status & 127) if $status & 127;
    return describe_signal($code, 128) || "exit status $code";
}

1;
