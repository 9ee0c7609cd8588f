package BatchRun;

# Submits the tasks of a parsed command line as one job of a batch system, and waits
# for them: the engine of queue.pl, slurm.pl and pbs.pl. What differs between batch
# systems is in the object $scheduler (Slurm.pm tells what it must offer).
#
# A task has ended when its job script has made its "done" file, and its status is in
# its log. The scheduler is asked now and then for tasks that can no longer end that
# way: killed, cancelled, on a lost node, unknown. A task that the scheduler will start
# again is waited for.

use strict;
use warnings;
use CmdLine qw(complain fail for_task);
use Command qw(run_command);
use Cwd ();
use Exporter 'import';
use File::Basename qw(basename dirname);
use JobLog qw(make_directory);
use JobScript qw(batch_script shell_quote);
use Pick qw(leave_out take_pick);
use QueueConf qw(find_conf read_conf submit_options);
use Report qw(describe_signal first_few interrupted report);

our @EXPORT_OK = qw(run_batch);

# Seconds that a file written on another host may take to be seen here (NFS).
my $GRACE = $ENV{QUEUE_GRACE_SECONDS} // 70;
# How long a task is seen in a state, in seconds, before it counts as lost.
my %PATIENCE = (ended => $GRACE, gone => $GRACE, dead => $GRACE < 5 ? $GRACE : 5,
    silent => 8 * $GRACE);
my $UNREACHABLE = 3600;    # seconds without the scheduler before giving up
my $PENDING = 300;         # seconds before it is said why the job waits

my $caught = '';

sub run_batch {
    my ($scheduler, $line, $conf_directory) = @_;
    my $job = prepare($scheduler, $line, $conf_directory);
    for my $name (qw(INT TERM HUP)) {
        next if $name eq 'HUP' && ($SIG{HUP} // '') eq 'IGNORE';    # nohup
        $SIG{$name} = sub { $caught ||= $name };
    }
    if (open_tasks($job)) {
        submit($job);
        wait_for($job);
    }
    my @failures = grep { defined $_->{why} } @{ $job->{tasks} };
    if ($caught) {
        return interrupted($line, $caught, cancel($job));
    }
    explain($job, $_) for first_few(@failures);
    $_->{why} ||= $_->{else} // '' for @failures;
    # What may be left, e.g. in an error state; the number of a job that is gone may be
    # that of another job now.
    cancel($job) if defined $job->{number}
        && grep { ($_->{kind} // '') ne 'gone' } @failures;
    unlink(map { $_->{done} } @{ $job->{tasks} });
    return report($line, scalar @{ $job->{tasks} }, \@failures);
}

# Everything about the job that is known before it has a number.
sub prepare {
    my ($scheduler, $line, $conf_directory) = @_;
    my $name = $scheduler->{conf};
    my $pick = take_pick($line);
    my $given = delete $line->{options}{config};
    my $conf = read_conf(find_conf($name, $given, $conf_directory));
    my $range = $line->{job};
    my $directory = Cwd::getcwd();
    my $log = $line->{log} =~ m{^/} ? $line->{log} : "$directory/$line->{log}";
    (my $q = dirname($log) . '/q') =~ s{/(?:log|LOG)/q$}{/q};
    my $base = basename($log);
    $base =~ s/\.?\Q$range->{name}\E// if $range;
    $base =~ s/^\.//;    # of JOB.log
    (my $stem = $base) =~ s/\.[A-Za-z]{1,5}$//;
    my $done_directory = $q . $scheduler->{done_directory};
    my $done = "$done_directory/done.$$";
    my @tasks = map {
        { id => $_, log => for_task($line->{log}, $range, $_),
            done => $range ? "$done.$_" : $done }
    } $range ? ($range->{start} .. $range->{end}) : ('');
    for my $needed ($done_directory, map { dirname($_->{log}) } @tasks) {
        my $error = make_directory($needed);
        fail($error) if $error ne '';
    }
    leave_out($line, $pick, @tasks);
    unlink($_->{log}, $_->{done}) for grep { !$_->{over} } @tasks;
    return { scheduler => $scheduler, conf => $conf, line => $line, tasks => \@tasks,
        directory => $directory, done => $done,
        queue_log => "$q/$base", script => "$q/$stem.sh" };
}

# max_jobs_run goes through the config file if that says how, else by way of the
# scheduler's own option for arrays.
sub scheduler_options {
    my ($job) = @_;
    my ($scheduler, $line, $conf) = @$job{qw(scheduler line conf)};
    my %options = %{ $line->{options} };
    my $most = $line->{max_jobs_run};
    if ($line->{job} && ($conf->{any}{max_jobs_run} // '') ne '') {
        $options{max_jobs_run} = $most if defined $most;
        $most = undef;
    }
    my $given = submit_options($conf, \%options, $scheduler->{on_unknown});
    return join(' ', grep { $_ ne '' } $given,
        (map { shell_quote($_) } @{ $line->{passed} }),
        $scheduler->submit_options($job, $line->{job}, $most));
}

sub submit {
    my ($job) = @_;
    my $command = "$job->{conf}{command} " . scheduler_options($job) . ' '
        . shell_quote($job->{script});
    my $text = batch_script(
        program => basename($0), submitted => $command, line => $job->{line},
        directory => $job->{directory}, log => $job->{line}{log}, done => $job->{done},
        task_variable => $job->{scheduler}{task_variable},
        over => [map { $_->{id} } grep { $_->{over} } @{ $job->{tasks} }],
    );
    open(my $script, '>', $job->{script}) or fail("cannot write $job->{script}: $!");
    print {$script} $text and close($script)
        or fail("cannot write $job->{script}: $!");
    my ($status, $output);
    for my $pause (5, 10, 20, 0) {
        ($status, $output) = run_command($command);
        # after a time-out the job may be there
        last if !$job->{scheduler}->not_reached($status, $output)
            || $output =~ /timed out/i || !$pause || $caught;
        complain("cannot reach the scheduler, trying again in $pause s: $output");
        select(undef, undef, undef, $pause);
    }
    open(my $log, '>', $job->{queue_log}) or fail("cannot write $job->{queue_log}: $!");
    print {$log} "# $command\n$output";
    close($log);
    my @numbers = $job->{scheduler}->job_numbers($output);
    return $job->{number} = $numbers[0] if $status == 0 && @numbers == 1;
    my $maybe = $output =~ /timed out/i
        ? "; it may have the job all the same: look for $job->{script} there first" : '';
    fail("expected one job number from: $command; found " . @numbers
          . " and exit status $status; output: $output$maybe");
}

sub wait_for {
    my ($job) = @_;
    my ($pause, $every, $next) = (0.1, 2, time + 1);
    $job->{submitted} = time;
    while (!$caught) {
        look_for_done($job);
        my @open = open_tasks($job) or return;
        if (time >= $next) {
            my $doubt = ask($job, @open);
            $every = $doubt ? 2 : $every < 15 ? $every * 1.3 : 20;
            $next = time + $every;
        }
        select(undef, undef, undef, $pause);
        $pause *= 1.2 if $pause < 2.5;
    }
    return;
}

sub open_tasks {
    my ($job) = @_;
    return grep { !$_->{over} } @{ $job->{tasks} };
}

# Listing the directory makes NFS look again.
sub look_for_done {
    my ($job) = @_;
    opendir(my $directory, dirname($job->{done})) or return;
    my %there = map { $_ => 1 } readdir($directory);
    closedir($directory);
    for my $task (open_tasks($job)) {
        next if !$there{ basename($task->{done}) };
        my $status = status_in_log($task->{log});
        $task->{done_since} //= time;
        if (defined $status) {
            finish($task, $status);
        }
        elsif (time - $task->{done_since} >= $GRACE) {
            lose($task, 'it ended without writing its status to the log'
                  . disk_state($task->{log}));
        }
    }
    return;
}

sub status_in_log {
    my ($log) = @_;
    my $status;
    open(my $file, '<', $log) or return;
    seek($file, -2000, 2);
    while (my $row = <$file>) {
        $status = $1 if $row =~ /^# Finished at .* with status (\d+)/;
        $status = undef if $row =~ /^# Running on /;
    }
    close($file);
    return $status;
}

sub disk_state {
    my ($path) = @_;
    my (undef, $output) = run_command('df', '-P', dirname($path));
    return '' if $output !~ /\s(9[89]|100)%\s+(\S+)\s*$/;
    return ": the disk of $2 is $1% full";
}

sub finish {
    my ($task, $status) = @_;
    $task->{over} = 1;
    @$task{qw(status why)} = ($status, '') if $status != 0;
    return;
}

# $else is said where the scheduler gives no reason.
sub lose {
    my ($task, $why, $else) = @_;
    @$task{qw(over why else)} = (1, $why, $else);
    return;
}

# True if a task seems to be over without a done file.
sub ask {
    my ($job, @open) = @_;
    my $scheduler = $job->{scheduler};
    my ($states, $error) = $scheduler->states($job);
    return not_answering($job, $error, @open) if !$states;
    complain('the scheduler answers again') if delete $job->{silent_since};
    my $doubts = 0;
    for my $task (@open) {
        my $state = $states->{ $task->{id} } // { kind => 'gone' };
        my $kind = $state->{kind};
        delete $task->{doubt} if ($task->{kind} // '') ne $kind;
        $task->{kind} = $kind;
        next if $kind eq 'active';
        $doubts++;
        $task->{doubt} //= time;
        judge($job, $task, $state) if time - $task->{doubt} >= $PATIENCE{$kind};
    }
    tell_why_pending($job, $states, @open);
    return $doubts;
}

sub not_answering {
    my ($job, $error, @open) = @_;
    chomp $error;
    complain("cannot reach the scheduler, waiting for it: $error")
        if !defined $job->{silent_since};
    $job->{silent_since} //= time;
    if (time - $job->{silent_since} > $UNREACHABLE) {
        lose($_, "no answer from the scheduler for $UNREACHABLE s: $error") for @open;
    }
    return 0;
}

sub judge {
    my ($job, $task, $state) = @_;
    my $status = status_in_log($task->{log});
    return finish($task, $status) if defined $status;
    my $end = $state->{kind} eq 'ended' ? 'the job ended without a status in its log'
        . disk_state($task->{log}) : "unfinished job $job->{number} no longer exists";
    lose($task, $state->{why} // '', "$end; see also $job->{queue_log}");
    return;
}

sub tell_why_pending {
    my ($job, $states, @open) = @_;
    return if $job->{told} || time - $job->{submitted} < $PENDING;
    my @waiting = map { ($states->{ $_->{id} } || {})->{pending} // () } @open;
    return if @waiting < @open;
    $job->{told} = 1;
    complain("job $job->{number} is still waiting: $waiting[0]");
    return;
}

# What the scheduler knows about the end of a failed task.
sub explain {
    my ($job, $task) = @_;
    return if $task->{why} ne '';
    $task->{why} = $job->{scheduler}->post_mortem($job, $task->{id})
        || describe_signal($task->{status} // 0, 128);
    return;
}

# Returns what was done, in words.
sub cancel {
    my ($job) = @_;
    my $cancel = $job->{scheduler}{cancel};
    my ($status, $output);
    for (1 .. 5) {
        ($status, $output) = run_command($cancel, $job->{number});
        return "cancelled job $job->{number}"
            if !$job->{scheduler}->not_reached($status, $output);
        select(undef, undef, undef, 2);
    }
    return "could not cancel job $job->{number}; do so with: $cancel $job->{number}";
}

1;
